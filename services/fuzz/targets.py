"""What is fuzzed: by name, what is drawn, and what must hold of it.

The oracle of pictures is the decoder: what admission accepts and a recipe decodes has the size which admission read, or
somebody gets a large picture past a limit by a header that says small.
"""

from __future__ import annotations

import atexit
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import pika
from flask import Flask, request
from hypothesis import strategies as st

import broken_pictures
import pictures
from imagemill.admission.validate import Header, Limits, Rejected, validate
from imagemill.api.web import spool
from imagemill.api.web.problems import Problem
from imagemill.cameras.feeds import FeedError
from imagemill.cameras.feeds.multipart import MOST_HEADER_BYTES, JpegSplitter
from imagemill.recipes import ImageError, Picture, from_canonical
from imagemill.settings import Settings
from imagemill.wire import activity, camera_tests, channel_tests, events, frames, snapshots, trials, work
from imagemill.wire.broker import Delivery
from imagemill.worker.isolation import IsolatedWorker, WorkLimits

LIMITS = Limits(max_pixels=4_000_000)
HEADER_SECONDS = 0.5
"""CPU time for any header; the slowest take some hundredths of a second, and the first foreign one loads Pillow."""
_PICTURE_SECONDS = 60.0
_WHOLE = from_canonical("whole", '[{"jpeg": {"quality": 50}}]')


@dataclass(frozen=True)
class Target:
    """What is drawn, and what raises when something does not hold."""

    drawn: st.SearchStrategy[Any]
    check: Callable[[Any], None]


# --- pictures -------------------------------------------------------------------------------------------


def check_picture(data: bytes) -> None:
    """Judge it; what is accepted and can be decoded has the size that was read, upright or turned."""
    header = judge(data)
    if header is None:
        return
    try:
        picture = _decoder().apply(_WHOLE, data, lambda: None)
    except ImageError:
        return
    check_size(header, picture)


def judge(data: bytes, limits: Limits = LIMITS) -> Header | None:
    """Admission's answer in little time, None when it rejects; anything else that it raises goes up."""
    began = time.thread_time()
    try:
        header = validate(data, limits)
    except Rejected as rejected:
        header, status = None, rejected.status
    else:
        status = 202
    finally:
        took = time.thread_time() - began
        assert took < HEADER_SECONDS, f"{took:.2f} s for a header"
    assert status in (202, 400, 413, 415, 422), status
    assert header is None or 0 < header.width * header.height <= limits.max_pixels, header
    assert header is None or 1 <= header.frames <= limits.max_frames, header
    return header


def check_size(header: Header, picture: Picture) -> None:
    """The decoder's size is the header's; an orientation may turn it."""
    sizes = ((header.width, header.height), (header.height, header.width))
    assert (picture.width, picture.height) in sizes, f"{header}, decoded {picture.width} × {picture.height}"


@cache
def _decoder() -> IsolatedWorker:
    """A child process: a decoder that crashes shall not end the search for it, but be found."""
    child = IsolatedWorker(WorkLimits(LIMITS.max_pixels, _PICTURE_SECONDS))
    atexit.register(child.close)
    return child


_MAGICS = [data[:16] for data in broken_pictures.good().values()]
_HEADERS = st.builds(bytes.__add__, st.sampled_from(_MAGICS), st.binary(max_size=400))
_BROKEN = st.integers(0, 2**40).map(broken_pictures.broken).map(lambda made: made.data)


# --- messages -------------------------------------------------------------------------------------------

_NAMES = st.sampled_from([
    "job", "outcome", "claim", "redriven", "suspicious", "x-delivery-count", "source", "sequence", "generation", "at",
    "camera", "width", "test", "kind", "change", "event", "pictures", "id", "reader", "channel", "class", "started_at",
    "trial", "facts", "original", "recipe", "recipe_steps",
])  # fmt: skip
# What AMQP's headers and JSON can hold where something else is meant. Drawn from a list: strategies that nest are slow.
_ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2**70, 1.5, float("nan"), float("inf"), "", "a", "1", "new", "frame", "nan", "1e999",
    "9" * 5000, "\ud800", [], [1], [[]], {}, {"id": 1}, '{"id": "a"}', "{",
]  # fmt: skip
_MEMBERS = st.dictionaries(_NAMES, st.sampled_from([*_ODD, b"", b"\xff"]), max_size=6)
_OBJECTS = st.dictionaries(_NAMES, st.sampled_from(_ODD), max_size=6)
_JSON = st.builds(lambda outer, name, inner: json.dumps(outer | {name: inner}).encode(), _OBJECTS, _NAMES, _OBJECTS)
_DEEP = st.sampled_from([b"[" * 100_000, b'{"event":' * 50_000, b'{"id":"a","channel":' + b"[" * 100_000])
_BODIES = st.binary(max_size=60) | _JSON | st.sampled_from(_ODD).map(lambda odd: json.dumps(odd).encode()) | _DEEP
_TYPES = st.sampled_from([None, channel_tests.TYPE, camera_tests.TYPE, events.TYPE, trials.TYPE])

READERS: dict[str, Callable[[Delivery], object]] = {
    "work item": work.work_item,
    "result": work.result_of,
    "outcome": lambda delivery: work.announced(delivery.body),
    "frame": frames.frame_of,
    "event": events.news_of,
    "snapshot request": snapshots.snapshot_request_of,
    "snapshot": snapshots.snapshot_of,
    "camera test": camera_tests.parse_request,
    "camera test's reply": camera_tests.parse_reply,
    "trial": trials.parse_request,
    "trial's reply": trials.parse_reply,
    "channel test": channel_tests.parse_request,
    "activity": lambda delivery: activity.records_of(delivery.body),
}


def delivery_of(body: bytes, headers: dict[str, Any], kind: str | None, reply_to: str | None) -> Delivery:
    """A message as a consumer gets it."""
    properties = pika.BasicProperties(headers=headers, type=kind, reply_to=reply_to)
    return Delivery(
        "queue", body, properties, 1, False, "key", cast(Any, SimpleNamespace(is_open=True)), lambda _: None
    )


def check_message(delivery: Delivery) -> None:
    """Each reader reads it, or raises ValueError."""
    for name, read in READERS.items():
        try:
            read(delivery)
        except ValueError:
            continue
        except Exception as error:
            error.add_note(f"reader of: {name}")
            raise


# --- bodies of uploads ----------------------------------------------------------------------------------

_BOUNDARY = b"--edge"
_PARTS = st.lists(
    st.sampled_from([
        _BOUNDARY, b"--edge--", b"--", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n\r\n",
        b"Content-Disposition: form-data;",
        b' name="file"', b' filename="a.jpg"', b" filename*=utf-8''%ff", b"Content-Type: image/jpeg",
        b"Content-Length: -1", b"Content-Transfer-Encoding: base64", b"\0", pictures.png(), b"name", b"a" * 70_000,
    ])
    | st.binary(max_size=30),
    max_size=30,
).map(b"".join)  # fmt: skip
_MOST_SPOOLED_BYTES = 4_000_000
_WELL_BEGUN = _PARTS.map(
    lambda rest: _BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="a"' + rest
)


@cache
def _uploads() -> Flask:
    """What the API reads forms with, and nothing behind it."""
    app = Flask("fuzz")
    limits = Settings(max_image_bytes=100_000, max_request_bytes=1_000_000, max_spooled_bytes=_MOST_SPOOLED_BYTES)
    spool.install(app, limits)
    app.config.update(MAX_CONTENT_LENGTH=1_000_000, MAX_FORM_PARTS=100)
    app.register_error_handler(Problem, lambda problem: ("", problem.status))

    @app.post("/")
    @spool.takes_pictures
    def read() -> str:
        return ",".join(str(len(file.read())) for file in request.files.getlist("file"))

    return app


def check_upload(body: bytes) -> None:
    """A form is read or refused; no file is longer than what was sent, and no byte of it stays behind."""
    app = _uploads()
    app.testing = True
    answer = app.test_client().post("/", data=body, content_type="multipart/form-data; boundary=edge")
    assert answer.status_code in (200, 400, 413), answer.status
    lengths = [int(length) for length in answer.text.split(",") if length] if answer.status_code == 200 else []
    assert sum(lengths) <= len(body), lengths
    app.extensions["upload-space"].claim(_MOST_SPOOLED_BYTES)  # raises when anything is still held
    app.extensions["upload-space"].free(_MOST_SPOOLED_BYTES)


# --- streams of cameras ---------------------------------------------------------------------------------

_STREAMS = st.lists(
    st.sampled_from([
        b"--frame", b"\r\n", b"\r\n\r\n", b"Content-Length: 10", b"Content-Length: -5",
        b"Content-Length: 99999999999999999999",
        b"\xff\xd8\xff", b"\xff\xd9", b"\xff\xd9\r\n--", pictures.photo_jpeg(16, 16), b"x" * 5000,
    ])
    | st.binary(max_size=20),
    max_size=40,
)  # fmt: skip


def check_stream(pieces: list[bytes]) -> None:
    """Each picture begins like one, none is longer than what came, and what is no picture is not kept."""
    splitter, came, given = JpegSplitter(), 0, 0
    try:
        for piece in pieces:
            came += len(piece)
            for picture in splitter.feed(piece):
                assert picture.startswith(b"\xff\xd8\xff")
                given += len(picture)
    except FeedError:
        return
    assert given <= came
    held = splitter._buffer
    assert held.startswith(b"\xff\xd8\xff") or len(held) <= MOST_HEADER_BYTES


TARGETS: dict[str, Target] = {
    "headers": Target(_HEADERS, lambda data: judge(data)),
    "pictures": Target(_BROKEN, check_picture),
    "messages": Target(
        st.builds(delivery_of, _BODIES, _MEMBERS, _TYPES, st.sampled_from([None, "api.1"])), check_message
    ),
    "uploads": Target(_PARTS | _WELL_BEGUN, check_upload),
    "streams": Target(_STREAMS, check_stream),
}
