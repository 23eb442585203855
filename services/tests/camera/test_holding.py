"""Who is seen alive, and for how long a reader itself may trust what it holds; each by its own clock."""

from dataclasses import dataclass, field

import pytest

from imagemill.camera.membership import Heartbeat
from imagemill.store.camera_leases import Reader, View
from imagemill.store.couch import Conflict

LEASE = 6.0


@dataclass
class States:
    """The documents of readers, in memory."""

    readers: dict[str, Reader] = field(default_factory=dict)

    def beat(self, reader: Reader) -> str:
        known = self.readers.get(reader.id)
        if (known.revision if known else "") != reader.revision:
            raise Conflict(reader.id)
        revision = f"{int(reader.revision or 0) + 1}"
        self.readers[reader.id] = Reader(reader.id, reader.capacity, reader.at, revision)
        return revision

    def view(self) -> View:
        return View({}, dict(self.readers))


@pytest.fixture
def clock() -> list[float]:
    return [100.0]


@pytest.fixture
def states() -> States:
    return States()


def touch(states: States, name: str, clock: list[float]) -> Heartbeat:
    return Heartbeat(states, Reader(name, 10, 0.0), LEASE, lambda: clock[0])  # type: ignore[arg-type]


def test_a_reader_that_is_silent_for_a_lease_is_gone_and_knew_it_before(states: States, clock: list[float]) -> None:
    hung, other = touch(states, "hung", clock), touch(states, "other", clock)
    hung.beat(0.0)
    other.beat(0.0)
    assert set(other.alive(states.view())) == {"hung", "other"}
    clock[0] += LEASE - 0.5
    assert not hung.held
    assert set(other.alive(states.view())) == {"hung", "other"}
    clock[0] += 1.0
    assert set(other.alive(states.view())) == {"other"}


def test_who_beats_within_the_lease_keeps_everything_and_who_was_late_must_take_it_again(
    states: States, clock: list[float]
) -> None:
    mine = touch(states, "me", clock)
    assert not mine.beat(0.0)  # the first time there is nothing to keep
    clock[0] += LEASE / 4
    assert mine.beat(0.0)
    clock[0] += LEASE
    assert not mine.beat(0.0)
    assert mine.held


def test_a_reader_that_was_forgotten_holds_nothing_and_begins_anew(states: States, clock: list[float]) -> None:
    mine = touch(states, "me", clock)
    mine.beat(0.0)
    states.readers.clear()
    assert not mine.beat(0.0)
    assert mine.held
    assert set(states.readers) == {"me"}
