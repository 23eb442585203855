"""Re-drive leaves alone what a living API process holds, and publishes in portions what a dead one held."""

import uuid

import pytest

from imagemill.domain.images import Job
from imagemill.store.couch import Couch
from imagemill.store.held_jobs import HeldJobs, HeldLine
from imagemill.store.leases import prepare
from imagemill.writer.held import Held
from writer.test_redrive import Redriven
from writer.test_redrive_policy import job

LASTS_SECONDS = 30


@pytest.fixture
def statements(couchdb_url: str, couchdb_prefix: str) -> HeldJobs:
    couch = Couch(couchdb_url, couchdb_prefix.rstrip("-"))
    prepare(couch)
    return HeldJobs(couch)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def batch_of(owner: str, count: int) -> list[Job]:
    return [job(1000 - n).model_copy(update={"owner": owner}) for n in range(count)]


def test_what_a_living_process_holds_is_not_lost_but_what_it_has_published_is(
    monkeypatch: pytest.MonkeyPatch, statements: HeldJobs
) -> None:
    ours = batch_of("ann", 4)
    statements.say("api", [HeldLine("ann", "default", 0, ours[2].id), HeldLine("bob", "default", 0, ours[0].id)])
    held = Held(statements, lambda _: "default", LASTS_SECONDS, 100)
    assert Redriven(monkeypatch, ours, held=held).turn() == [one.id for one in ours[:2]]


def test_what_was_published_among_held_ones_is_published_again_when_it_is_lost(
    monkeypatch: pytest.MonkeyPatch, statements: HeldJobs
) -> None:
    ours = batch_of("ann", 3)
    statements.say("api", [HeldLine("ann", "default", 0, ours[0].id, [ours[1].id])])
    held = Held(statements, lambda _: "default", LASTS_SECONDS, 100)
    assert Redriven(monkeypatch, ours, held=held).turn() == [ours[1].id]


@pytest.mark.parametrize("changed", [{"by": "another api"}, {"priority": 5}, {"owner": "carol"}, {"owner": None}])
def test_what_the_statement_does_not_name_is_not_held(
    changed: dict[str, object], monkeypatch: pytest.MonkeyPatch, statements: HeldJobs
) -> None:
    (other,) = (one.model_copy(update=changed) for one in batch_of("ann", 1))
    statements.say("api", [HeldLine("ann", "default", 0, other.id)])
    held = Held(statements, lambda _: "default", LASTS_SECONDS, 100)
    assert Redriven(monkeypatch, [other], held=held).turn() == [other.id]


def test_who_says_nothing_new_for_the_length_of_a_lease_is_dead(
    monkeypatch: pytest.MonkeyPatch, statements: HeldJobs
) -> None:
    ours, clock = batch_of("ann", 1), Clock()
    held = Held(statements, lambda _: "default", LASTS_SECONDS, 100, clock)
    redriven = Redriven(monkeypatch, ours, held=held)
    for _ in range(3):  # it says so again and again
        statements.say("api", [HeldLine("ann", "default", 0, ours[0].id)])
        assert redriven.turn() == []
        clock.now += LASTS_SECONDS
    assert redriven.turn() == []
    clock.now += LASTS_SECONDS + 1
    assert redriven.turn() == [ours[0].id]
    assert statements.all() == []


def test_of_one_owner_no_more_than_ten_shares_are_published_in_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    redriven = Redriven(monkeypatch, [*batch_of("ann", 45), job(500)])
    redriven.redrive._held._most = 2 * 10
    first, second, third = redriven.turn(), redriven.turn(), redriven.turn()
    assert [len(first), len(second), len(third)] == [21, 20, 5]
    assert job(500).id in first
    assert len({*first, *second, *third}) == 46


def test_a_statement_is_said_again_and_withdrawn(statements: HeldJobs) -> None:
    instance = uuid.uuid4().hex
    statements.withdraw(instance)
    statements.say(instance, [HeldLine("ann", "default", 0, "1")])
    (before,) = statements.all()
    statements.say(instance, [HeldLine("ann", "default", 0, "1")])
    (after,) = statements.all()
    assert (before.lines, before.instance) == (after.lines, instance)
    assert before.revision != after.revision
    statements.withdraw(instance)
    assert statements.all() == []
