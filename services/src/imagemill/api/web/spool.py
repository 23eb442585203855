"""Bodies on their way in: bounded for each file, and over all requests together, on disk and in memory."""

import io
import threading
import time
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeVar

from flask import Flask, Request, current_app, g, request
from prometheus_client import Gauge
from werkzeug.exceptions import RequestEntityTooLarge

from imagemill.api.web.problems import RETRY_AFTER_SECONDS, Problem
from imagemill.settings import Settings

HELD = Gauge("imagemill_upload_bytes", "Bytes of uploads that are held while they are taken in", ["where"])
DISCARD_SECONDS = 10.0
"""For so long the rest of something too large is read, so that its client gets to read the answer."""
_SMALL_BYTES = 256 * 1024
_MEMORY_BYTES = 1024 * 1024
_STEP_BYTES = 1024 * 1024
View = TypeVar("View", bound=Callable[..., Any])


class Space:
    """Room for the bodies of all requests together."""

    def __init__(self, where: str, limit_bytes: int) -> None:
        self._limit_bytes, self._lock, self._held_bytes = limit_bytes, threading.Lock(), 0
        self._gauge = HELD.labels(where)

    def claim(self, count: int) -> None:
        """Take so many bytes; raises a 503 Problem when there are not so many."""
        with self._lock:
            if self._held_bytes + count > self._limit_bytes:
                detail = "Too much is being uploaded at this moment. Nothing was accepted; try again in a few seconds."
                raise Problem(503, "too-many-uploads", detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})
            self._set(self._held_bytes + count)

    def free(self, count: int) -> None:
        """Give them back."""
        with self._lock:
            self._set(self._held_bytes - count)

    def _set(self, count: int) -> None:
        self._held_bytes = count
        self._gauge.set(count)


class Spool:
    """The files of one request, one after the other in one temporary file: one descriptor, however many they are."""

    def __init__(self, space: Space, max_file_bytes: int) -> None:
        self._space, self._max_file_bytes = space, max_file_bytes
        self._file = SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115
        self._end = self._claimed = 0
        self._discarding_since: float | None = None

    def open(self) -> "SpooledFile":
        """Begin the next file; the one before gets no more."""
        return SpooledFile(self, self._end, self._max_file_bytes)

    def append(self, data: memoryview) -> None:
        """Keep these bytes; raises Problem."""
        if self._end + len(data) > self._claimed:
            step = max(_STEP_BYTES, len(data))
            self._space.claim(step)
            self._claimed += step
        self._file.seek(self._end)
        self._file.write(data)
        self._end += len(data)

    def discard(self) -> None:
        """Bytes come that nobody wants; raises RequestEntityTooLarge when they have come for long enough."""
        now = time.monotonic()
        self._discarding_since = self._discarding_since or now
        if now - self._discarding_since > DISCARD_SECONDS:
            raise RequestEntityTooLarge

    def read(self, at: int, count: int) -> bytes:
        """Read kept bytes."""
        self._file.seek(at)
        return self._file.read(count)

    def close(self) -> None:
        """Nothing is kept any more."""
        self._file.close()
        self._space.free(self._claimed)
        self._claimed = 0


class SpooledFile(io.RawIOBase):
    """One of them. Of what is longer than a file may be the rest is counted, not kept."""

    def __init__(self, spool: Spool, start: int, max_bytes: int) -> None:
        self._spool, self._start, self._max_bytes = spool, start, max_bytes
        self.size_bytes = self._kept = self._at = 0

    def write(self, data: Any, /) -> int:
        """Add bytes; raises Problem, or RequestEntityTooLarge."""
        kept = memoryview(data)[: self._max_bytes + 1 - self._kept]
        if kept:
            self._spool.append(kept)
        else:
            self._spool.discard()
        self._kept += len(kept)
        self.size_bytes += len(data)
        return len(data)

    def read(self, size: int = -1, /) -> bytes:
        """Read what was kept."""
        left = self._kept - self._at
        data = self._spool.read(self._start + self._at, left if size < 0 else min(size, left))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place of the file."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._kept}[whence]
        return self._at


class SpoolingRequest(Request):
    """Reads the files of forms into the request's spool."""

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        if "spool" not in g:
            g.spool = Spool(current_app.extensions["upload-space"], current_app.config["MAX_FILE_BYTES"])
        spool: Spool = g.spool
        return spool.open()  # type: ignore[return-value]


def takes_pictures(view: View) -> View:
    """Let a view have large bodies; all others get 413 before anything of one is kept."""
    view.takes_pictures = True  # type: ignore[attr-defined]
    return view


def claim_memory(count: int) -> None:
    """Room in memory until the request is over; raises a 503 Problem."""
    current_app.extensions["upload-memory"].claim(count)
    g.upload_memory = g.get("upload_memory", 0) + count


def install(app: Flask, settings: Settings) -> None:
    """Before every hook that may read a body."""
    app.request_class = SpoolingRequest
    app.config["MAX_FILE_BYTES"] = settings.max_image_bytes
    app.extensions["upload-space"] = Space("disk", settings.max_spooled_bytes)
    app.extensions["upload-memory"] = Space("memory", settings.max_upload_memory_bytes)
    app.before_request(_bound_body)
    app.teardown_request(_free)


def _bound_body() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if not getattr(view, "takes_pictures", False):
        request.max_content_length = min(_SMALL_BYTES, current_app.config["MAX_CONTENT_LENGTH"])


def _free(_: BaseException | None) -> None:
    if "spool" in g:
        g.pop("spool").close()
    if count := g.pop("upload_memory", 0):
        current_app.extensions["upload-memory"].free(count)
