"""What has come of a request that no thread sees to yet: pure, fed with bytes."""

import re
from enum import Enum

MAX_HEAD_BYTES = 32 * 1024
BODY_START_BYTES = 64 * 1024
"""So much of a body must be there before a thread takes the request; most forms of pages are there whole."""
WHOLE_BODY_BYTES = 1024 * 1024
"""A body up to so much is waited for whole, while there is memory: most pictures are. Then no thread waits for it."""
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)


class Stage(Enum):
    """How far a request has come."""

    HEAD = "its head comes"
    BODY = "the start of its body comes"
    READY = "a thread may see to it"
    TOO_LARGE = "its head is larger than any may be"


class Reception:
    """Collects a request's head, and as much of its body as a client must send before it gets a thread.

    This only decides how long to wait; what the head means, and whether it is one, is the parser's to say.
    """

    def __init__(self, max_body_bytes: int) -> None:
        self.data = bytearray()
        self.stage = Stage.HEAD
        self.expects_continue = False
        self._max_body_bytes = max_body_bytes
        self._body_at = 0
        self._length: int | None = 0

    @property
    def is_whole(self) -> bool:
        """Is all of the request there, as far as can be told? Else a thread that takes it waits for its client."""
        came = len(self.data) - self._body_at
        if self._length is None:
            return came > 0 and self.data.endswith(_END_OF_HEAD)
        return came >= self._length or self._length > self._max_body_bytes

    def feed(self, data: bytes, has_memory: bool = True) -> Stage:
        """Add what came. Without memory for more, no body is waited for beyond its start."""
        searched = max(0, len(self.data) - len(_END_OF_HEAD) + 1)
        self.data += data
        if self.stage is Stage.HEAD:
            self._look_for_head(searched)
        if self.stage is Stage.BODY and self._has_enough(has_memory):
            self.stage = Stage.READY
        return self.stage

    def _look_for_head(self, searched: int) -> None:
        end = self.data.find(_END_OF_HEAD, searched, MAX_HEAD_BYTES)
        if end < 0:
            self.stage = Stage.TOO_LARGE if len(self.data) >= MAX_HEAD_BYTES else Stage.HEAD
            return
        head = bytes(self.data[: end + 2])
        self.stage, self._body_at = Stage.BODY, end + len(_END_OF_HEAD)
        self._length = body_length(head)
        is_refused = self._length is not None and self._length > self._max_body_bytes
        self.expects_continue = self._length != 0 and not is_refused and _EXPECTS.search(head) is not None

    def _has_enough(self, has_memory: bool) -> bool:
        if self.is_whole:  # by accident perhaps, in chunks, which does no harm
            return True
        is_small = self._length is not None and self._length <= WHOLE_BODY_BYTES
        # Of chunks, and of a large body, it is not worth it to wait for more than the start.
        return len(self.data) - self._body_at >= BODY_START_BYTES and not (is_small and has_memory)


def body_length(head: bytes) -> int | None:
    """How long the body will be; None when it comes in chunks, of which only the end can be known."""
    if _CHUNKED.search(head):
        return None
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0
