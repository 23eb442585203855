"""The list of batches by time, on a real CouchDB API: newest first, each once, in pages."""

import itertools

import pytest

from imagemill.domain.ids import floor_at, timestamp, uuid7, with_time_of
from imagemill.domain.images import ImageInfo, Job, Outcome, Rejection, TraceStep
from imagemill.store import batch_times
from imagemill.store.batch_times import BatchIndex, BatchTimes, Row, arranged, whole_hours
from imagemill.store.couch import Couch
from imagemill.store.ledger import Ledger

HOUR = 3600.0
NUMBERS = itertools.count()


@pytest.fixture
def index(client: Couch) -> BatchIndex:
    return BatchIndex(client)


def at(seconds: float, batch: str, recipe: str = "gray") -> Job:
    made = with_time_of(floor_at(seconds), f"{next(NUMBERS):032x}")
    info = ImageInfo(sha256="0" * 64, bytes=1, width=1, height=1, content_type="image/png")
    return Job(
        id=made, batch=batch, name="n.jpg", recipe=recipe, recipe_steps="[]", recipe_digest="d", original=info,
        accepted_at=timestamp(seconds), by="api",
    )  # fmt: skip


def ended(of: Job, seconds: float) -> Outcome:
    mark = TraceStep(step="stored", at=timestamp(seconds), by="writer")
    return Outcome(id=of.id, batch=of.batch, recipe=of.recipe, status="failed", trace=[of.accepted_step(), mark])


def pages(index: BatchIndex, limit: int) -> list[str]:
    found: list[str] = []
    while names := index.newest(limit, found[-1] if found else None):
        found += names
    return found


def test_batches_are_listed_by_when_they_began_whatever_their_names(ledger: Ledger, index: BatchIndex) -> None:
    ledger.accept([at(0, "zoo"), at(60, "ant"), at(5 * HOUR, "mid"), at(6 * HOUR, "zoo"), at(120, "bee")], [], [])
    assert pages(index, 10) == ["mid", "bee", "ant", "zoo"]
    assert pages(index, 1) == pages(index, 3) == pages(index, 10)
    assert index.newest(10, "never-seen") == {}


def test_the_same_is_told_when_portions_end_within_an_hour(
    ledger: Ledger, index: BatchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [at(hour * HOUR + n, f"b{(7 * n + hour) % 10}-{hour}") for hour in range(4) for n in range(3)]
    ledger.accept([*jobs, *(at(hour * HOUR, "always") for hour in range(4))], [], [])
    wanted = pages(index, 50)
    assert [name for name in wanted if name != "always"] == [of.batch for of in reversed(jobs)]
    monkeypatch.setattr(batch_times, "_CROWD", 5)
    assert pages(index, 2) == wanted
    assert len(set(wanted)) == len(wanted) == 13


def test_a_crowded_hour_is_listed_by_name_and_completely(
    ledger: Ledger, index: BatchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_times, "_CROWD", 3)
    crowd = [at(HOUR + n, f"c{n}") for n in (3, 1, 4, 0, 2, 5, 6, 7)]
    ledger.accept([*crowd, at(1, "first"), at(2 * HOUR + 9, "a-last"), at(2 * HOUR, "b-last")], [], [])
    wanted = ["a-last", "b-last", *(f"c{n}" for n in range(7, -1, -1)), "first"]
    for limit in (1, 2, 3, 20):
        assert pages(index, limit) == wanted


def test_times_and_recipes_of_batches(ledger: Ledger, index: BatchIndex) -> None:
    one, other = at(100, "b"), at(200, "b", "webp")
    refused = Rejection(
        id=with_time_of(floor_at(50), "0" * 32), batch="b", name="n", code="empty", detail="", at=timestamp(50)
    )
    lone = refused.model_copy(update={"id": uuid7(), "batch": "refused"})
    ledger.accept([one, other], [ended(one, 250.5)], [refused, lone])
    early = at(HOUR * 3, "skewed")
    ledger.accept([early], [ended(early, HOUR)], [])
    found = index.times(["b", "none", "refused", "skewed"])
    # A writer whose clock is behind: the batch is listed by when it began all the same.
    assert (found["skewed"].began, found["skewed"].ended) == (HOUR * 3, HOUR)
    assert "skewed" in index.newest(10)
    assert found["b"] == BatchTimes(50, 250.5, {"gray": 1, "webp": 1})
    assert set(found) == {"b", "refused", "skewed"}
    assert (found["refused"].ended, found["refused"].recipes) == (None, {})
    assert index.times([]) == {}


def test_the_last_hour_of_a_portion_is_left_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_times, "_CROWD", 2)
    assert whole_hours([Row(3, "a"), Row(2, "b"), Row(2, "a")]) == ([Row(3, "a")], Row(2, "\ufff0"))
    hour = [Row(3, "c"), Row(3, "b"), Row(3, "a")]
    assert whole_hours(hour) == (hour, Row(3, "a"))
    assert whole_hours(hour[:1]) == (hour[:1], None)


def test_rows_are_arranged_by_time_and_those_passed_are_left_out() -> None:
    rows = [Row(3, "b", 31), Row(3, "a", 32), Row(1, "a", 11)]
    assert arranged(rows, None, None) == [rows[1], rows[0], rows[2]]
    assert arranged(rows, 3, None) == rows
    assert arranged(rows, None, rows[1]) == [rows[0], rows[2]]
    assert arranged(rows, 3, rows[1]) == rows


def test_a_batch_of_every_hour_is_asked_for_once(
    ledger: Ledger, index: BatchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.accept([at(0, "old"), *(at(hour * HOUR, "daily") for hour in range(300))], [], [])
    asked: list[str] = []
    times = BatchIndex.times
    monkeypatch.setattr(BatchIndex, "times", lambda self, names: asked.extend(names) or times(self, names))
    assert set(index.newest(10)) == {"daily", "old"}
    assert sorted(asked) == ["daily", "old"]


def test_a_batch_that_a_node_does_not_know_yet_is_left_out(
    ledger: Ledger, index: BatchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.accept([at(0, "old"), at(HOUR, "new")], [], [])
    times = BatchIndex.times
    monkeypatch.setattr(BatchIndex, "times", lambda self, names: times(self, [one for one in names if one != "new"]))
    assert list(index.newest(10)) == ["old"]
