"""Questions to other programs, whose answers come to this process's own queue.

Who is asked says at once that it has begun, and later what came of it; so nobody waits long where nobody is.
"""

import contextlib
import queue
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from imagemill.api.web.problems import revoked_meanwhile


class Reply(Protocol):
    """An answer: to which question, and whether it only says that somebody has begun."""

    @property
    def id(self) -> str: ...
    @property
    def has_begun(self) -> bool: ...


Answer = TypeVar("Answer", bound=Reply)
StillAllowed = Callable[[], Callable[[], bool]]
_LOOK_SECONDS = 2.0


def everybody() -> Callable[[], bool]:
    """For those who wait in nobody's name."""
    return lambda: True


class Questions(Generic[Answer]):
    """Those that wait for an answer, by their ids; `still_allowed` says, for who asks now, whether they may go on."""

    def __init__(self, still_allowed: StillAllowed) -> None:
        self._still_allowed = still_allowed
        self._waiting: dict[str, queue.Queue[Answer]] = {}

    def arrived(self, reply: Answer) -> None:
        """Somebody has answered (in the connection's thread); an answer that nobody waits for any more is dropped."""
        replies = self._waiting.get(reply.id)
        if replies is not None:
            replies.put(reply)

    def ask(
        self, identifier: str, send: Callable[[], object], begin_seconds: float, limit_seconds: float
    ) -> Answer | None:
        """The last answer that came in time: None when nobody has even begun.

        Raises what `send` raises, and Problem within seconds when who waits is not allowed to any more.
        """
        allowed = self._still_allowed()
        replies = self._waiting[identifier] = queue.Queue()
        try:
            send()
            first = _next(replies, begin_seconds, allowed)
            if first is None or not first.has_begun:
                return first
            return _next(replies, limit_seconds, allowed) or first
        finally:
            del self._waiting[identifier]


def _next(replies: "queue.Queue[Answer]", timeout_seconds: float, allowed: Callable[[], bool]) -> Answer | None:
    deadline = time.monotonic() + timeout_seconds
    found = None
    while found is None and (remaining := deadline - time.monotonic()) > 0:
        with contextlib.suppress(queue.Empty):
            found = replies.get(timeout=min(remaining, _LOOK_SECONDS))
        if not allowed():
            raise revoked_meanwhile()
    return found
