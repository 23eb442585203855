"""A delivery that cannot go on is held, not given back: to give it back would count as a delivery at the broker."""

import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from imagemill.concurrency.retry import Stopped, pause_seconds, until
from imagemill.store.couch import Conflict, StoreUnavailable
from imagemill.wire.broker import Delivery
from imagemill.wire.work import ClaimCheck

Answer = TypeVar("Answer")
# About a quarter of a minute: of a cluster's nodes one that was cut off may say that there is nothing.
_READS_OF_WHAT_IS_MISSING = 8


def hold(delivery: Delivery, stopping: threading.Event, ask: Callable[[], Answer]) -> Answer:
    """Ask the database until it answers. Raises Stopped at the shutdown, and when the delivery is not ours any more."""

    def ask_while_ours() -> Answer:
        if delivery.channel_closed:
            raise Stopped("a delivery whose channel was closed; it comes again")
        return ask()

    return until(ask_while_ours, stopping, on=(StoreUnavailable, Conflict), what="a picture waits for CouchDB")


def original_of(delivery: Delivery, stopping: threading.Event, claims: ClaimCheck) -> bytes:
    """The picture's bytes. Raises LookupError when they are gone, and Stopped as `hold` does."""
    for reads in range(1, _READS_OF_WHAT_IS_MISSING):
        with contextlib.suppress(LookupError):
            return hold(delivery, stopping, lambda: claims.check_out(delivery))
        if stopping.wait(pause_seconds(reads)):
            raise Stopped("a picture whose original was not found yet")
    return hold(delivery, stopping, lambda: claims.check_out(delivery))
