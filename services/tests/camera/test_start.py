"""When a reader starts, waits, or does not start at all."""

import os
import subprocess
import sys
import time
from pathlib import Path

import requests

from imagemill.local.ports import free_ports
from mill import Mill, wait_for

# Ten leases without a round are taken for a reader that is stuck.
STUCK_SECONDS = 10


def status(port: int, path: str) -> int:
    try:
        return requests.get(f"http://127.0.0.1:{port}{path}", timeout=60).status_code
    except requests.ConnectionError:
        return 0


def test_a_reader_that_waits_for_the_database_is_not_restarted(tmp_path: Path, amqp_url: str) -> None:
    nobody, health = free_ports(2)
    mill = Mill(tmp_path, amqp_url, f"http://127.0.0.1:{nobody}", "mill", camera_lease_seconds=1)
    try:
        mill.launch("camera", ["-m", "imagemill.camera"], {"health_port": health})
        wait_for(lambda: status(health, "/healthz"), "the reader's first answer")
        end = time.monotonic() + STUCK_SECONDS + 2
        while time.monotonic() < end:
            assert status(health, "/healthz") == 200, mill.log("camera")
            time.sleep(0.5)
        assert status(health, "/readyz") == 503
    finally:
        mill.close()


def test_a_reader_does_not_start_with_credentials_that_may_go_anywhere(tmp_path: Path) -> None:
    file = tmp_path / "credentials.yaml"
    file.write_text("door: {user: viewer, password: hunter2}")
    environment = {**os.environ, "IMAGEMILL_CAMERA_CREDENTIALS_FILE": str(file)}
    ended = subprocess.run(
        [sys.executable, "-m", "imagemill.camera"], env=environment, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "error: the credentials 'door'" in ended.stderr
    assert 'hosts: ["rtsp://10.0.0.5"]' in ended.stderr
    assert "hunter2" not in ended.stderr
