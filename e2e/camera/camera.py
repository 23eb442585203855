"""A camera: RTSP on port 8554, at /yard, for the login `yard` of the file of credentials which is its argument.

Run by the system's Python, whose GStreamer bindings it needs. Every client sees the scene from its beginning.
"""

import json
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402
from scene import HEIGHT, PICTURES_PER_SECOND, WIDTH, picture  # noqa: E402

PORT, PATH = "8554", "/yard"
CAPS = f"video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT},framerate={PICTURES_PER_SECOND}/1"
H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 bitrate=1500 ! rtph264pay name=pay0 pt=96"
LAUNCH = f"( appsrc name=scene is-live=true format=time caps={CAPS} ! videoconvert ! video/x-raw,format=I420 ! {H264} )"
MAY_WATCH = "watcher,media.factory.access=(boolean)true,media.factory.construct=(boolean)true"


class Scene:
    """Gives a stream its pictures, whenever it wants the next one."""

    def __init__(self, source):
        self.number = 0
        source.connect("need-data", self.push)

    def push(self, source, _length):
        buffer = Gst.Buffer.new_wrapped(picture(self.number))
        buffer.duration = Gst.SECOND // PICTURES_PER_SECOND
        buffer.pts = buffer.dts = self.number * buffer.duration
        self.number += 1
        source.emit("push-buffer", buffer)


def factory():
    made = GstRtspServer.RTSPMediaFactory()
    made.set_launch(LAUNCH)
    made.set_shared(False)
    made.connect("media-configure", lambda _, media: Scene(media.get_element().get_by_name("scene")))
    made.add_role_from_structure(Gst.Structure.from_string(MAY_WATCH)[0])
    return made


def login(entry):
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(1)  # Gst's RTSP_AUTH_BASIC
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "watcher")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(entry["user"], entry["password"]), token)
    return auth


def main():
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_service(PORT)
    server.set_auth(login(json.loads(Path(sys.argv[1]).read_text("utf-8"))["yard"]))
    server.get_mount_points().add_factory(PATH, factory())
    server.attach(None)
    print(f"rtsp://…:{PORT}{PATH}", flush=True)
    GLib.MainLoop().run()


main()
