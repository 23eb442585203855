"""Our modules get the simulation's clock, chance and threads for as long as it runs."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest import mock

import structlog

from imagemill.api.images import dispatch, group_commit
from imagemill.concurrency import retry
from imagemill.domain import ids
from imagemill.store import conflicts, couch_requests, ledger, majority
from imagemill.worker import consumer_threads
from imagemill.writer import eraser, redrive, store
from simulation.scheduler import EPOCH, Scheduler

# Pages of the ledger's search, so small that a few pictures fill several.
_PAGE = 2


class Stage:
    """Where the patched modules find the run that goes on."""

    scheduler: Scheduler
    chance = random.Random(0)

    def begin(self, scheduler: Scheduler, seed: int) -> None:
        """Another run."""
        self.scheduler = scheduler
        self.chance.seed(seed)
        ids._CLOCK._last = (0, 0)

    # In the place of the module `time`, and of the class `datetime`: each process has its own clock.

    def time(self) -> float:
        process = self.scheduler.process
        return EPOCH + self.scheduler.now + (process.clock_ahead if process else 0.0)

    def monotonic(self) -> float:
        return self.scheduler.now

    def sleep(self, seconds: float) -> None:
        self.scheduler.pause(seconds)

    def now(self, zone: Any) -> datetime:
        return datetime.fromtimestamp(self.time(), zone)

    def fromtimestamp(self, at: float, zone: Any = UTC) -> datetime:
        return datetime.fromtimestamp(at, zone)


STAGE = Stage()


class Event:
    """In the place of threading.Event, which is never set here: programs end by being killed."""

    def wait(self, seconds: float) -> bool:
        STAGE.sleep(seconds)
        return False

    def is_set(self) -> bool:
        return False


class Condition:
    """In the place of threading.Condition: there is one thread."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None

    def notify_all(self) -> None:
        return None


class SerialPool:
    """In the place of a ThreadPoolExecutor."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    map = staticmethod(map)


def _timer(seconds: float, function: Callable[..., Any], arguments: Any) -> SimpleNamespace:
    process = STAGE.scheduler.process
    assert process is not None
    return SimpleNamespace(start=lambda: STAGE.scheduler.spawn(process, lambda: function(*arguments), after=seconds))


_THREADING = SimpleNamespace(
    Event=Event, Condition=Condition, Timer=_timer, get_ident=lambda: id(STAGE.scheduler.process)
)
_CHANGES: list[tuple[Any, str, Any]] = [
    (ids, "time", STAGE),
    (ids, "datetime", STAGE),
    (ids, "secrets", SimpleNamespace(randbits=STAGE.chance.getrandbits)),
    (group_commit, "time", STAGE),
    (dispatch, "time", STAGE),
    (retry, "random", STAGE.chance),
    (conflicts, "time", STAGE),
    (couch_requests, "time", STAGE),
    (majority, "time", STAGE),
    (redrive, "time", STAGE),
    (eraser, "time", STAGE),
    (consumer_threads, "time", STAGE),
    (consumer_threads, "threading", _THREADING),
    (store, "ThreadPoolExecutor", SerialPool),
    (ledger, "_PAGE", _PAGE),
]


@contextmanager
def patched() -> Iterator[None]:
    """Our modules as they are in a simulation; their log is silent."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with ExitStack() as stack:
        stack.callback(structlog.configure, **before)
        for module, name, value in _CHANGES:
            stack.enter_context(mock.patch.object(module, name, value))
        yield
