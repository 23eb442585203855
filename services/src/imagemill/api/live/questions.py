"""Questions to other programs, whose answers come to this process's own queue.

Who is asked says at once that it has begun, and later what came of it; so nobody waits long where nobody is.
"""

import queue
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Reply(Protocol):
    """An answer: to which question, and whether it only says that somebody has begun."""

    @property
    def id(self) -> str: ...
    @property
    def has_begun(self) -> bool: ...


Answer = TypeVar("Answer", bound=Reply)


class Questions(Generic[Answer]):
    """Those that wait for an answer, by their ids."""

    def __init__(self) -> None:
        self._waiting: dict[str, queue.Queue[Answer]] = {}

    def arrived(self, reply: Answer) -> None:
        """Somebody has answered (in the connection's thread); an answer that nobody waits for any more is dropped."""
        replies = self._waiting.get(reply.id)
        if replies is not None:
            replies.put(reply)

    def ask(
        self, identifier: str, send: Callable[[], object], begin_seconds: float, limit_seconds: float
    ) -> Answer | None:
        """The last answer that came in time: None when nobody has even begun. Raises what `send` raises."""
        replies = self._waiting[identifier] = queue.Queue()
        try:
            send()
            first = _next(replies, begin_seconds)
            if first is None or not first.has_begun:
                return first
            return _next(replies, limit_seconds) or first
        finally:
            del self._waiting[identifier]


def _next(replies: "queue.Queue[Answer]", timeout_seconds: float) -> Answer | None:
    try:
        return replies.get(timeout=timeout_seconds)
    except queue.Empty:
        return None
