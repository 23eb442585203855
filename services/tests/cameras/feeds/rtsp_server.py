"""An RTSP server for tests, run by the system's Python (the GStreamer bindings are the system's).

Arguments: a video file to play once per client, or `-` for a moving ball; optionally user and password.
Prints its port when it is ready.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 bitrate=2000 ! rtph264pay name=pay0 pt=96"
BALL = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1"


def factory(video):
    made = GstRtspServer.RTSPMediaFactory()
    # x264 codes what jpegdec gives as 4:4:4 unless told otherwise; cameras send 4:2:0.
    source = BALL if video == "-" else f'filesrc location="{video}" ! avidemux ! jpegdec ! videoconvert'
    made.set_launch(f"( {source} ! video/x-raw,format=I420 ! {H264} )" if video != "-" else f"( {source} ! {H264} )")
    made.set_shared(False)
    return made


def protect(server, made, user, password):
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(1)  # Gst's RTSP_AUTH_BASIC
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    made.add_role_from_structure(
        Gst.Structure.from_string("user,media.factory.access=(boolean)true,media.factory.construct=(boolean)true")[0]
    )


def main():
    video, login = sys.argv[1], sys.argv[2:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    made = factory(video)
    if login:
        protect(server, made, *login)
    server.get_mount_points().add_factory("/cam", made)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
