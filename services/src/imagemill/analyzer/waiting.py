"""Waiting for CouchDB."""

import itertools
import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from imagemill.analyzer.publisher import ShuttingDown
from imagemill.concurrency.retry import pause_seconds
from imagemill.store.couch import StoreUnavailable

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")


def until_stored(attempt: Callable[[], Answer], stopping: threading.Event) -> Answer:
    """The answer, however long CouchDB takes to be there; raises ShuttingDown at the program's end."""
    for number in itertools.count(1):
        try:
            return attempt()
        except StoreUnavailable as error:
            log.warning("the state of a source waits for CouchDB", error=str(error))
        if stopping.wait(pause_seconds(number)):
            raise ShuttingDown
    raise AssertionError("unreachable")
