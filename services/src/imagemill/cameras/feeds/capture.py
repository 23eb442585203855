"""RTSP and video files through OpenCV's FFmpeg: grab and drop, one picture in memory."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2

from imagemill.cameras.feeds.grabs import Grab, Pace, Waiter
from imagemill.cameras.feeds.policy import Target
from imagemill.cameras.feeds.spec import MAX_FRAME_BYTES, FeedError, FeedSpec
from imagemill.cameras.feeds.timing import FrameGate, StreamClock

# For the whole process, because OpenCV reads them from the environment. TCP: over UDP a lost packet is a smeared
# picture, which is motion. The whitelist leaves out FFmpeg's playlists, scripts and session files (hls, dash, concat,
# sdp …): through those a "video file" could open other files and addresses.
FFMPEG_OPTIONS = (
    "rtsp_transport;tcp"
    "|format_whitelist;rtsp,mpegts,mov,mp4,matroska,webm,avi,mpeg,mjpeg,h264,hevc,flv,ogg,asf,wav"
    "|protocol_whitelist;file,tcp,tls"
)
# FFmpeg's own messages hold addresses with their passwords.
FFMPEG_QUIET = "-8"


def prepare_ffmpeg() -> None:
    """Set what OpenCV's FFmpeg reads from the environment; safe to call again."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = FFMPEG_OPTIONS
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


@contextmanager
def opened(source: str, spec: FeedSpec, failure: str) -> Iterator[Any]:
    """A capture that is released in the end; FeedError with the sentence `failure` when it cannot be opened."""
    prepare_ffmpeg()
    options = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(spec.open_timeout_seconds * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(spec.read_timeout_seconds * 1000)),
        *(cv2.CAP_PROP_N_THREADS, 1),  # each decoder thread holds frames of its own; many feeds share the cores anyway
    ]
    capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, options)
    try:
        if not capture.isOpened():
            raise FeedError(failure)
        yield capture
    finally:
        capture.release()


def rtsp_url(target: Target, spec: FeedSpec) -> str:
    """The URL for FFmpeg, with the address that was checked and the credentials: never to be shown."""
    user = spec.credentials
    login = f"{quote(user.user, safe='')}:{quote(user.password, safe='')}@" if user else ""
    return f"{target.scheme}://{login}{target.pinned_origin}{target.resource}"


def rtsp_grabs(target: Target, spec: FeedSpec, stop: Waiter) -> Iterator[Grab]:
    """Frames of a live stream until it fails; every frame is taken from the stream, only the wanted ones are kept."""
    failure = f"the stream of {target.host} could not be opened: wrong path, user or password, or an unknown codec"
    gate, clock = FrameGate(spec.interval_seconds), StreamClock()
    with opened(rtsp_url(target, spec), spec, failure) as capture:
        while not stop.is_set() and capture.grab():
            position = clock.position(_position_seconds(capture), time.monotonic())
            if gate.is_due(position):
                yield Grab(time.time(), encoded(capture, spec), position)
    if not stop.is_set():
        raise FeedError(f"the stream of {target.host} ended, or sent nothing for {spec.read_timeout_seconds:g} s")


def video_grabs(
    path: Path, spec: FeedSpec, stop: Waiter, now: Callable[[], float] = time.time, began_at: float | None = None
) -> Iterator[Grab]:
    """Frames of a video file, from its beginning again when it loops.

    Paced, the time of a frame is the time it is shown. Unpaced, it is `began_at` plus its position, so that a replay
    has the times of the recording.
    """
    base, pace = 0.0, Pace(stop, time.monotonic)
    start = now() if began_at is None else began_at
    while True:
        end = base
        for position, data in _once(path, spec, stop):
            end = base + position
            if spec.paced and pace.wait_for(end):
                return
            yield Grab(now() if spec.paced else start + end, data, end)
        if not spec.loop or stop.is_set():
            return
        base = end + spec.interval_seconds


def _once(path: Path, spec: FeedSpec, stop: Waiter) -> Iterator[tuple[float, bytes]]:
    gate, frames = FrameGate(spec.interval_seconds), 0
    with opened(str(path), spec, f"{path} is not a video that can be read") as capture:
        per_second = float(capture.get(cv2.CAP_PROP_FPS)) or 25.0
        while not stop.is_set() and capture.grab():
            told = _position_seconds(capture)
            position = told if told > 0 or frames == 0 else frames / per_second
            frames += 1
            if gate.is_due(position):
                yield position, encoded(capture, spec)
    if frames == 0 and not stop.is_set():
        raise FeedError(f"{path} has no picture in it that can be read")


def encoded(capture: Any, spec: FeedSpec) -> bytes:
    """The frame that was grabbed last, as JPEG."""
    retrieved, picture = capture.retrieve()
    if not retrieved:
        raise FeedError("a frame of the stream could not be decoded")
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, spec.jpeg_quality])
    if not done or jpeg.nbytes > MAX_FRAME_BYTES:
        raise FeedError(f"a frame of {picture.shape[1]} × {picture.shape[0]} pixels does not fit in a message as JPEG")
    return jpeg.tobytes()


def _position_seconds(capture: Any) -> float:
    return float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
