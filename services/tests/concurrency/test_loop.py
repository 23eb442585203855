"""Threads that do one thing again and again: what an unforeseen error, a death and a hang look like from outside."""

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from imagemill.concurrency.grouping import Bounds, Grouper
from imagemill.concurrency.loop import FAILURES, Loop, each, problems
from imagemill.concurrency.retry import Stopped, until
from imagemill.process.health import Health
from imagemill.wire.broker import Broker, parameters_of
from mill import wait_for


def alive() -> dict[str, str]:
    """What /healthz of a program of this process answers."""
    return Health(Broker(parameters_of("amqp://nowhere", "test"))).problems("/healthz")


@pytest.fixture
def started() -> Iterator[Callable[..., Loop]]:
    """Starts a loop, and stops it after the test."""
    loops: list[Loop] = []

    def start(name: str, body: Callable[[], object], **options: object) -> Loop:
        loops.append(Loop(name, body, **options))  # type: ignore[arg-type]
        loops[-1].start()
        return loops[-1]

    yield start
    for loop in loops:
        loop.stop()


class Body:
    """Raises what it is given, once each, and counts its rounds."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors, self.rounds = list(errors), 0

    def __call__(self) -> None:
        self.rounds += 1
        if self.errors:
            raise self.errors.pop(0)


def failures(name: str) -> float:
    return FAILURES.labels(name)._value.get()


def test_a_periodic_loop_goes_on_after_what_nobody_foresaw(started: Callable[..., Loop]) -> None:
    body = Body(TypeError("one"), AttributeError("two"))
    loop = started("periodic", body, every_seconds=0.01)
    wait_for(lambda: body.rounds >= 5, "rounds after the errors")
    assert loop.problem() is None
    assert failures("periodic") == 2


def test_errors_that_pass_by_themselves_are_not_counted(started: Callable[..., Loop]) -> None:
    body = Body(OSError("away"), OSError("away"))
    started("passing", body, every_seconds=0.01, passing=OSError)
    wait_for(lambda: body.rounds >= 4, "rounds after the errors")
    assert failures("passing") == 0


def test_an_item_that_could_not_be_handled_fails_the_liveness_and_those_behind_it_are_handled(
    started: Callable[..., Loop],
) -> None:
    inbox: queue.SimpleQueue[int] = queue.SimpleQueue()
    handled: list[int] = []

    def handle(item: int) -> None:
        if item == 1:
            raise TypeError("no such item")
        handled.append(item)

    started("items", each(inbox, handle), heals=False)
    for item in range(4):
        inbox.put(item)
    wait_for(lambda: handled == [0, 2, 3], "the others")
    assert "TypeError('no such item')" in alive()["items"]


def test_groups_behind_one_that_could_not_be_handled_are_handled_and_the_liveness_fails() -> None:
    handled: list[int] = []
    errors = [TypeError("first"), TypeError("second")]

    def handle(group: list[int]) -> None:
        if errors:
            raise errors.pop()
        handled.extend(group)

    grouper: Grouper[int] = Grouper(handle, Bounds(entries=1, seconds=0), threads=2, name="groups")
    grouper.start()
    for item in range(20):
        grouper.put(item)
    wait_for(lambda: len(handled) == 18, "the rest")
    assert any("left something undone" in problem for name, problem in alive().items() if name.startswith("groups-"))
    assert grouper.close(60)
    assert not [name for name in problems() if name.startswith("groups-")]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_fails_the_liveness(started: Callable[..., Loop]) -> None:
    started("mortal", Body(GeneratorExit()))
    wait_for(lambda: "has died" in alive().get("mortal", ""), "the death to be told")


def test_a_loop_that_does_not_come_round_fails_the_liveness(started: Callable[..., Loop]) -> None:
    go_on = threading.Event()
    started("stuck", lambda: go_on.wait(60), limit_seconds=0.05)
    wait_for(lambda: "has not come round" in alive().get("stuck", ""), "the hang to be told")
    go_on.set()


def test_a_loop_that_waits_for_a_server_is_not_stuck(started: Callable[..., Loop]) -> None:
    attempts, stopping = Body(*[OSError("away")] * 1000), threading.Event()
    loop = started("waiting", lambda: until(attempts, stopping, on=OSError, what="waiting"), limit_seconds=2.0)
    wait_for(lambda: attempts.rounds >= 5, "some attempts")
    assert loop.problem() is None
    stopping.set()
    assert loop.close(60)


def test_a_woken_loop_begins_its_next_round_at_once(started: Callable[..., Loop]) -> None:
    body = Body()
    loop = started("woken", body, every_seconds=3600)
    wait_for(lambda: body.rounds == 1, "the first round")
    loop.wake()
    wait_for(lambda: body.rounds == 2, "the second round")


def test_at_the_end_what_is_left_is_done(started: Callable[..., Loop]) -> None:
    left, done = [1, 2, 3], []

    def at_end() -> bool:
        done.append(left.pop())
        return bool(left)

    loop = started("ending", Body(), every_seconds=0.01, at_end=at_end)
    assert loop.close(60)
    assert done == [3, 2, 1]


def test_what_was_broken_off_by_the_shutdown_is_left_as_it_is(started: Callable[..., Loop]) -> None:
    at_end = Body()
    loop = started("broken-off", Body(Stopped("waiting")), at_end=at_end)
    assert loop.close(60)
    assert at_end.rounds == 0
    assert "broken-off" not in alive()
