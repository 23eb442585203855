"""The ledger on a real CouchDB API: its arithmetic holds whatever is written in whatever order, once or again."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagemill.domain.failures import Resolution
from imagemill.domain.ids import floor_at, timestamp, uuid7
from imagemill.domain.images import ImageInfo, Job, KnownResult, Outcome, Rejection
from imagemill.store.couch import Conflict, Couch, StoreUnavailable
from imagemill.store.leases import Lease
from imagemill.store.leases import prepare as prepare_leases
from imagemill.store.ledger import Ledger, LookUp
from imagemill.store.ledger_views import failed_list
from imagemill.store.resolutions import Resolutions
from imagemill.store.watermark import Watermark

KINDS = ["open", "stored", "duplicate", "failed", "rejected"]
INFO = ImageInfo(sha256="0" * 64, bytes=1, width=1, height=1, content_type="image/png")


def job(batch: str = "b") -> Job:
    return Job(
        id=uuid7(), batch=batch, name="n.jpg", recipe="gray", recipe_steps="[]", recipe_digest="d", original=INFO,
        accepted_at=timestamp(), by="api",
    )  # fmt: skip


def outcome(of: Job, status: str = "stored", duplicate: bool = False) -> Outcome:
    return Outcome(
        id=of.id, batch=of.batch, recipe=of.recipe, status=status, duplicate=duplicate,  # type: ignore[arg-type]
        result=INFO if status == "stored" else None,
    )  # fmt: skip


def rejection(batch: str = "b") -> Rejection:
    return Rejection(id=uuid7(), batch=batch, name="n", code="empty", detail="", at=timestamp())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(KINDS), st.integers(1, 3)), max_size=12))
def test_the_counts_add_up_whatever_is_written_and_however_often(
    ledger: Ledger, entries: list[tuple[str, str, int]]
) -> None:
    before = {batch: ledger.counts(batch) for batch in "xyz"}
    wanted: dict[str, Counter[str]] = {batch: Counter() for batch in "xyz"}
    for batch, kind, times in entries:
        new, no = job(batch), rejection(batch)
        wanted[batch][kind] += 1
        for _ in range(times):
            if kind == "rejected":
                ledger.accept([], [], [no])
                continue
            ledger.accept([new], [], [])
            if kind != "open":
                ledger.record_outcomes([outcome(new, "failed" if kind == "failed" else "stored", kind == "duplicate")])
    for batch, counter in wanted.items():
        now, then = ledger.counts(batch), before[batch]
        assert now.accepted == now.stored + now.failed + now.in_flight
        assert now.offered == now.accepted + now.rejected
        assert now.in_flight - then.in_flight == counter["open"]
        assert now.rejected - then.rejected == counter["rejected"]
        assert now.stored - then.stored == counter["stored"] + counter["duplicate"]
        assert now.duplicates - then.duplicates == counter["duplicate"]
    assert ledger.counts() == ledger.counts()


def test_the_first_outcome_stays(ledger: Ledger) -> None:
    new = job()
    ledger.accept([new], [], [])
    (first,) = ledger.record_outcomes([outcome(new, "stored")])
    (second,) = ledger.record_outcomes([outcome(new, "failed")])
    assert (first.status, second.status) == ("stored", "stored")
    assert ledger.counts("b").failed == 0


def test_the_first_result_stays_and_names_its_job(ledger: Ledger) -> None:
    mine, others = KnownResult(key="k", job="1", result=INFO), KnownResult(key="k", job="2", result=INFO)
    for result in (mine, others):
        ledger.record_outcomes([], [result])
    assert ledger.known_results(["k"])["k"].job == "1"


def test_jobs_and_known_results_are_asked_for_together(ledger: Ledger) -> None:
    new, known = job(), KnownResult(key="k", job="1", result=INFO)
    ledger.accept([new], [], [])
    ledger.record_outcomes([outcome(new)], [known])
    assert ledger.look_up([new.id, "nobody"], ["k", "unknown"]) == LookUp({new.id}, set(), {"k": known})


def test_jobs_in_flight_are_found_by_a_merge_of_two_ranges(ledger: Ledger) -> None:
    jobs = [job() for _ in range(2500)]
    for start in range(0, len(jobs), 500):
        ledger.accept(jobs[start : start + 500], [], [])
    done = [item for n, item in enumerate(jobs) if n not in (3, 1200, 2499)]
    for start in range(0, len(done), 500):
        ledger.record_outcomes([outcome(item) for item in done[start : start + 500]])
    beginning, end = floor_at(0), floor_at(4e9)
    pages = [ledger.in_flight_page(beginning, end)]
    while following := pages[-1][1]:
        pages.append(ledger.in_flight_page(following, end))
    assert [found for found, _ in pages if found] == [[jobs[3].id], [jobs[1200].id], [jobs[2499].id]]
    assert ledger.in_flight_page(jobs[1500].id, jobs[2499].id)[0] == []
    newest = [ledger.newest_in_flight(end, beginning)]
    while following := newest[-1][1]:
        newest.append(ledger.newest_in_flight(following, beginning))
    assert [found for found, _ in newest if found] == [[jobs[2499].id], [jobs[1200].id], [jobs[3].id]]
    assert ledger.newest_in_flight(jobs[2499].id, jobs[1501].id) == ([], None)
    assert ledger.without_outcome([jobs[4].id, jobs[3].id]) == [jobs[3].id]


def test_batches_are_listed_with_their_counts_a_page_at_a_time(ledger: Ledger) -> None:
    ledger.accept([job("a"), job("c"), job("c")], [], [rejection("b")])
    assert [(name, counts.offered) for name, counts in ledger.batches(2)] == [("c", 2), ("b", 1)]
    assert [name for name, _ in ledger.batches(2, after="b")] == ["a"]


def test_the_watermark_is_only_ever_raised(client: Couch) -> None:
    prepare_leases(client)
    mark = Watermark(client)
    low, high = floor_at(1000), floor_at(2000)
    mark.raise_to(high)
    mark.raise_to(low)
    assert mark.read() == high


def test_a_server_which_is_not_there_is_unavailable_and_not_a_crash() -> None:
    with pytest.raises(StoreUnavailable):
        Ledger(Couch("http://127.0.0.1:9", "p", 1)).counts()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_lease_is_held_by_one_and_taken_over_when_its_holder_falls_silent(client: Couch) -> None:
    prepare_leases(client)
    clock = Clock()
    first, second = (Lease(client, "duty", name, 10, clock) for name in ("first", "second"))
    assert first.hold()
    assert not second.hold()
    clock.now = 9
    assert first.hold()
    clock.now = 18
    assert not second.hold()  # the revision changed at 9: seen now, so it waits from now on
    clock.now = 29
    assert not first.held
    assert second.hold()
    assert not first.hold()


def test_a_released_lease_is_free_at_once(client: Couch) -> None:
    prepare_leases(client)
    clock = Clock()
    first, second = (Lease(client, "duty", name, 10, clock) for name in ("first", "second"))
    assert first.hold()
    first.release()
    assert not first.held
    assert second.hold()


def test_a_document_is_put_once(client: Couch) -> None:
    database = client.database("other")
    database.create()
    database.put({"_id": "x"})
    with pytest.raises(Conflict):
        database.put({"_id": "x"})


def named(name: str, sha256: str = "0" * 64) -> Job:
    return job().model_copy(update={"name": name, "original": INFO.model_copy(update={"sha256": sha256})})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("img", True), ("IMG_08", True), ("0875", True), ("0875.jpg", True), ("trip", True), ("trip/img", True),
        ("ab12", True), ("AB12" + "0" * 20, True), ("ab12" + "1" * 20, False), ("jpg", False), ("75", False),
    ],
)  # fmt: skip
def test_jobs_are_found_by_what_a_name_a_word_or_a_hash_begins_with(ledger: Ledger, text: str, found: bool) -> None:
    wanted = named("Great Trip/IMG_0875.jpg", "ab12" + "0" * 60)
    ledger.accept([wanted, named("other.png")], [], [])
    assert ledger.named_ids(text, 10) == ([wanted.id] if found else [], None)


def test_found_names_are_paged_and_none_is_left_out(ledger: Ledger) -> None:
    jobs = [named(f"a{number % 3} a{number}.jpg") for number in range(7)]
    ledger.accept(jobs, [], [])
    found, after = set(), None
    while True:
        ids, after = ledger.named_ids("a", 3, after)
        found |= set(ids)
        if after is None:
            break
    assert found == {item.id for item in jobs}


def test_batches_are_found_by_what_they_begin_with(ledger: Ledger) -> None:
    ledger.accept([job(name) for name in ("trip-1", "trip-2", "tour")], [], [])
    assert [name for name, _ in ledger.batches(10, prefix="trip")] == ["trip-2", "trip-1"]
    assert [name for name, _ in ledger.batches(10, "trip-2", "trip")] == ["trip-1"]


def test_failures_are_listed_by_code_and_recipe(ledger: Ledger) -> None:
    jobs = [job("b"), job("c")]
    codes = ["crashed", "undecodable"]
    ledger.accept(
        jobs,
        [outcome(one, "failed").model_copy(update={"code": code}) for one, code in zip(jobs, codes, strict=True)],
        [],
    )
    assert ledger.listed_ids(None, failed_list("crashed", None), 9) == [jobs[0].id]
    assert ledger.listed_ids(None, failed_list(None, "gray"), 9) == [jobs[1].id, jobs[0].id]
    assert ledger.listed_ids("c", failed_list("undecodable", "gray"), 9) == [jobs[1].id]
    assert ledger.listed_ids("c", failed_list("crashed", "gray"), 9) == []


def test_what_was_answered_is_found_whether_little_or_much_lies_between(client: Couch) -> None:
    resolutions = Resolutions(client)
    resolutions.prepare()
    ids = [job().id for _ in range(12)]
    answers = [Resolution(id=one, batch="b", kind="discarded", at=timestamp(), by="ann") for one in ids[:-1]]
    resolutions.add(answers)
    assert resolutions.answered(ids) == set(ids[:-1])
    assert resolutions.answered([ids[0], ids[-1]]) == {ids[0]}
    assert resolutions.answered([]) == set()


def test_what_has_ended_is_told_once_by_whoever_goes_on_where_it_ended(ledger: Ledger) -> None:
    since, jobs = ledger.sequence(), [job("ended") for _ in range(5)]
    ledger.accept(jobs, [outcome(jobs[0])], [rejection("ended")])
    found, count = list[str](), 1
    while count:
        images, since, count = ledger.ended_since(since, 2)
        found += [image.job.id for image in images]
        assert all(image.outcome for image in images)
    assert found == [jobs[0].id]
    ledger.record_outcomes([outcome(one, "failed") for one in jobs[1:]])
    images, since, _ = ledger.ended_since(since, 100)
    assert {image.job.id for image in images} == {one.id for one in jobs[1:]}
    assert ledger.ended_since(since, 100)[0] == []


def test_counts_of_several_batches_are_those_of_each(ledger: Ledger) -> None:
    one, other = job("one"), job("other")
    ledger.accept([one, other], [outcome(one)], [])
    found = ledger.counts_of(["one", "other", "none"])
    assert found == {"one": ledger.counts("one"), "other": ledger.counts("other")}
    assert (found["one"].in_flight, found["other"].in_flight) == (0, 1)
    assert ledger.counts_of([]) == {}
