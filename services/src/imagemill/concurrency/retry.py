"""Attempts and the pauses between them: exponential, bounded, and with jitter, lest all who failed return together."""

import itertools
import random
import threading
from collections.abc import Callable
from typing import TypeVar

import structlog
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from imagemill.concurrency.heartbeat import beat

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
_FIRST_SECONDS = 0.2
_MAX_SECONDS = 10.0
_MAX_DOUBLINGS = 16


class Stopped(Exception):
    """The program was told to stop before an attempt had succeeded: what it was for is left undone."""


def until(
    attempt: Callable[[], Answer],
    stopping: threading.Event,
    *,
    on: type[Exception] | tuple[type[Exception], ...],
    what: str,
) -> Answer:
    """Repeat an attempt, with pauses, until it succeeds; raises Stopped once `stopping` is set.

    `on` are the errors that pass by themselves, `what` is the sentence which the log has of each.
    """
    for number in itertools.count(1):
        try:
            return attempt()
        except on as error:
            log.warning(what, error=str(error))
        beat()
        if stopping.wait(pause_seconds(number)):
            raise Stopped(what)
    raise AssertionError("unreachable")


def never_sent(error: Exception) -> bool:
    """Was there no connection for an HTTP request, so that the server cannot have done anything?"""
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError | ConnectTimeoutError)


def pause_seconds(attempt: int, first: float = _FIRST_SECONDS, longest: float = _MAX_SECONDS) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1)."""
    doubled: float = first * 2 ** min(attempt - 1, _MAX_DOUBLINGS)
    return random.uniform(0.5, 1) * min(longest, doubled)  # noqa: S311 - nothing secret
