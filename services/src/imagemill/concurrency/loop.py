"""Threads that do one thing again and again. None of them dies, or hangs, without the liveness probe seeing it."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from prometheus_client import Counter

from imagemill.concurrency.heartbeat import beat, silent_seconds
from imagemill.concurrency.retry import Stopped, pause_seconds

log = structlog.get_logger(__name__)
FAILURES = Counter("imagemill_loop_failures", "Rounds of threads that ended in an unforeseen error", ["loop"])
_LIMIT_SECONDS = 300.0
_POLL_SECONDS = 0.5
_running: set["Loop"] = set()

Item = TypeVar("Item")


class Loop:
    """A thread which calls `body` every `every_seconds` until it is stopped, then `at_end` while that finds something.

    Errors in `passing` pass by themselves. All others are logged and counted, and the loop goes on after a pause.
    `heals`: a later round does what a failed one left undone; without it only a restart does, and `problem` says so.
    """

    def __init__(
        self,
        name: str,
        body: Callable[[], object],
        *,
        every_seconds: float = 0.0,
        at_once: bool = True,
        at_end: Callable[[], object] = lambda: None,
        passing: type[Exception] | tuple[type[Exception], ...] = (),
        heals: bool = True,
        limit_seconds: float = _LIMIT_SECONDS,
    ) -> None:
        self.name, self._body, self._at_end, self._passing, self._heals = name, body, at_end, passing, heals
        self._every, self._at_once, self._limit = every_seconds, at_once, every_seconds + limit_seconds
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._failed = 0
        self._undone: str | None = None
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

    def start(self) -> None:
        """Begin, and be watched."""
        self._thread.start()
        _running.add(self)

    def wake(self) -> None:
        """Begin the next round now."""
        self._woken.set()

    def stop(self) -> None:
        """Tell it to end after this round; it is watched no longer."""
        self._stopping.set()
        self._woken.set()
        _running.discard(self)

    def close(self, timeout_seconds: float) -> bool:
        """Stop it and wait for its end; False when that takes too long."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def problem(self) -> str | None:
        """Why only a restart of the program helps, None while the loop goes round."""
        silent = silent_seconds(self._thread)
        if self._thread.ident is None or self._stopping.is_set():
            return None
        if not self._thread.is_alive():
            return f"the thread {self.name} has died; the log has its traceback"
        if silent > self._limit:
            return f"the thread {self.name} has not come round for {silent:.0f} s; its limit is {self._limit:g} s"
        return self._undone

    # --- in the thread ----------------------------------------------------------------------------

    def _live(self) -> None:
        beat()
        try:
            if not self._at_once:
                self._pause(self._every)
            while not self._stopping.is_set():
                began = time.monotonic()
                self._round(self._body)
                self._pause(self._every - min(time.monotonic() - began, 0.9 * self._every))
            while self._round(self._at_end):
                pass
        except Stopped as left:
            log.warning("broken off by the shutdown", loop=self.name, left=str(left))
            self.stop()

    def _round(self, body: Callable[[], object]) -> bool:
        beat()
        try:
            found = bool(body())
            self._failed = 0
            return found
        except Stopped:
            raise
        except self._passing as error:
            log.warning("tried again later", loop=self.name, error=str(error))
            self._failed = 0 if self._every else self._failed + 1
        except Exception as error:
            log.exception("an unforeseen error", loop=self.name)
            FAILURES.labels(self.name).inc()
            self._failed += 1
            if not self._heals:
                self._undone = f"the thread {self.name} left something undone that only a restart does: {error!r}"
        return False

    def _pause(self, seconds: float) -> None:
        if self._failed:
            self._stopping.wait(pause_seconds(self._failed))
        if seconds:
            self._woken.wait(seconds)
            self._woken.clear()


def each(
    inbox: "queue.SimpleQueue[Item] | queue.Queue[Item]",
    handle: Callable[[Item], None],
    idle: Callable[[], None] = lambda: None,
    poll_seconds: float = _POLL_SECONDS,
) -> Callable[[], bool]:
    """Build a loop's body: handle the next item of an inbox, or be idle when none comes for a while."""

    def body() -> bool:
        try:
            item = inbox.get(timeout=poll_seconds)
        except queue.Empty:
            idle()
            return False
        handle(item)
        return True

    return body


def close_all(loops: Sequence[Loop], timeout_seconds: float) -> bool:
    """Stop loops together and wait for their ends; False when that takes too long."""
    for loop in loops:
        loop.stop()
    deadline = time.monotonic() + timeout_seconds
    ended = [loop.close(max(0.0, deadline - time.monotonic())) for loop in loops]
    return all(ended)


def problems() -> dict[str, str]:
    """What is wrong with the loops of this program, by name."""
    found = {loop.name: loop.problem() for loop in list(_running)}
    return {name: problem for name, problem in found.items() if problem}
