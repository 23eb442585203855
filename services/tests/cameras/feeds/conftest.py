"""Cameras for tests: an RTSP server, a web camera, video files and folders, all on this machine and free ports."""

import subprocess
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from cameras.feeds.webcam import WebCam
from imagemill.cameras.feeds import FeedPolicy

SYSTEM_PYTHON = "/usr/bin/python3"
BINDINGS = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
PACKAGES = "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base -good -ugly -bad"


@pytest.fixture(scope="session")
def gstreamer():
    """Skips what needs the RTSP server where the system does not have it."""
    tried = subprocess.run([SYSTEM_PYTHON, "-c", BINDINGS], capture_output=True, timeout=60, check=False)
    if tried.returncode:
        pytest.skip(f"no RTSP server for tests: install {PACKAGES}")


@pytest.fixture
def rtsp_server(gstreamer):
    """Call it with a video's path (or nothing, for a ball) and a login; it gives host and port."""
    running = []

    def start(video="-", *login):
        script = Path(__file__).with_name("rtsp_server.py")
        command = [SYSTEM_PYTHON, str(script), str(video), *login]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(server)
        return f"127.0.0.1:{int(server.stdout.readline())}"

    start.running = running
    yield start
    for server in running:
        server.kill()
        server.wait(10)
        server.stdout.close()


@pytest.fixture
def webcam():
    """A camera over HTTP that can be told how to behave."""
    with ThreadingHTTPServer(("127.0.0.1", 0), WebCam) as server:
        server.daemon_threads = True
        server.behaviour = {}
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


@pytest.fixture
def policy(tmp_path):
    return FeedPolicy(loopback=True, folders=(tmp_path,))
