"""What has come of a request that no thread sees to yet: pure, fed with bytes."""

import re
from enum import Enum

MAX_HEAD_BYTES = 32 * 1024
BODY_START_BYTES = 64 * 1024
"""So much of a body must be there before a thread takes the request; most forms of pages are there whole."""
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
        self._body_bytes: int | None = 0

    def feed(self, data: bytes) -> Stage:
        """Add what came."""
        searched = max(0, len(self.data) - len(_END_OF_HEAD) + 1)
        self.data += data
        if self.stage is Stage.HEAD:
            self._look_for_head(searched)
        if self.stage is Stage.BODY and self._has_enough():
            self.stage = Stage.READY
        return self.stage

    def _look_for_head(self, searched: int) -> None:
        end = self.data.find(_END_OF_HEAD, searched, MAX_HEAD_BYTES)
        if end < 0:
            self.stage = Stage.TOO_LARGE if len(self.data) >= MAX_HEAD_BYTES else Stage.HEAD
            return
        head = bytes(self.data[: end + 2])
        self.stage, self._body_at = Stage.BODY, end + len(_END_OF_HEAD)
        self._body_bytes = start_of_body(head, self._max_body_bytes)
        self.expects_continue = self._body_bytes != 0 and _EXPECTS.search(head) is not None

    def _has_enough(self) -> bool:
        came = len(self.data) - self._body_at
        if self._body_bytes is None:
            # The last chunk ends so, whatever trailers it has; another may by accident, which does no harm.
            return came >= BODY_START_BYTES or (came > 0 and self.data.endswith(_END_OF_HEAD))
        return came >= self._body_bytes


def start_of_body(head: bytes, max_body_bytes: int) -> int | None:
    """How many bytes of the body to wait for; None when it comes in chunks, of which only the end can be known.

    A body that is larger than any may be is refused unread.
    """
    if _CHUNKED.search(head):
        return None
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    return 0 if length > max_body_bytes else min(length, BODY_START_BYTES)
