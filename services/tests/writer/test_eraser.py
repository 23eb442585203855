"""What was erased goes, and nothing that anybody needs; on a CouchDB API, with a clock that the test sets."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from imagemill.domain.blobs import sha256
from imagemill.domain.erasures import Erasure, Pin
from imagemill.domain.ids import timestamp, uuid7
from imagemill.domain.images import ImageInfo, Job, KnownResult, Outcome
from imagemill.domain.purging import PurgeTimes
from imagemill.store.blobs import Blobs
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.blobs.folder import FolderBlobs
from imagemill.store.blobs.s3 import S3Blobs
from imagemill.store.couch import Couch, Database, Document, StoreUnavailable
from imagemill.store.erasures import Erasures
from imagemill.store.leases import Lease
from imagemill.store.leases import prepare as prepare_leases
from imagemill.store.ledger import Ledger
from imagemill.store.purges import BeingPurged, Purges, PurgeWatch
from imagemill.wire.work import ClaimCheck, result_message
from imagemill.writer import eraser as eraser_module
from imagemill.writer.eraser import WAITING, Eraser
from imagemill.writer.store import OutcomeWriter
from s3_server import S3Server, s3_server
from store.test_blobs import place

TIMES = PurgeTimes.by(30)
ACTIVITY = cast(Any, SimpleNamespace(note=lambda *_, **__: None))


def info(data: bytes) -> ImageInfo:
    return ImageInfo(sha256=sha256(data), bytes=len(data), width=1, height=1, content_type="image/png")


@dataclass
class Mill:
    """A ledger, its blobs, and an eraser whose time passes when the test says so."""

    couch: Couch
    now: float = 1000.0
    is_whole: bool = True
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.couch)
        self.blobs: Blobs = CouchBlobs(self.couch)
        self.blobs.prepare()
        prepare_leases(self.couch)
        self.erasures, self.purges = Erasures(self.couch), Purges(self.couch)
        self.watch = PurgeWatch(self.couch, TIMES, self.clock)
        self.eraser = self.another("one")

    def clock(self) -> float:
        return self.now

    def another(self, name: str) -> Eraser:
        """An eraser in a program of its own."""
        lease = Lease(self.couch, "erase", name, 30, self.clock)
        return Eraser(self.couch, self.ledger, self.blobs, lease, ACTIVITY, TIMES, lambda: self.is_whole, self.clock)

    def accepted(self, data: bytes, recipe: str = "gray") -> Job:
        """A picture whose original is stored."""
        self.blobs.put(sha256(data), data, "image/png")
        job = Job(
            id=uuid7(), batch="b", name="n.png", recipe=recipe, recipe_steps="[]", recipe_digest=recipe,
            original=info(data), accepted_at=timestamp(), by="api",
        )  # fmt: skip
        self.ledger.accept([job], [], [])
        return job

    def stored(self, data: bytes, result: bytes, recipe: str = "gray") -> Job:
        """A picture with its result and previews."""
        job = self.accepted(data, recipe)
        previews = {sha256(data): b"small original", sha256(result): b"small result"}
        self.blobs.put(sha256(result), result, "image/png", previews)
        outcome = Outcome(id=job.id, batch="b", recipe=recipe, status="stored", result=info(result))
        self.ledger.record_outcomes([outcome], [KnownResult(key=job.result_key, job=job.id, result=info(result))])
        return job

    def erase(self, *jobs: Job, in_seconds: float = -1.0) -> None:
        """Erase pictures; their bytes are due at once."""
        at, due = timestamp(), timestamp(time.time() + in_seconds)
        self.erasures.add([Erasure(id=job.id, batch="b", at=at, by="someone", due=due) for job in jobs])

    def turns(self, *pauses: float) -> None:
        """Turns of the eraser, each after so many seconds."""
        for pause in pauses:
            self.now += pause
            self.eraser.turn()

    def purge(self) -> None:
        """A whole round."""
        self.turns(0, 0, TIMES.settle + 1, 0, TIMES.settle + 1)

    def has(self, *data: bytes) -> list[bool]:
        return [self.blobs.read_unchecked(sha256(one)) is not None for one in data]


@pytest.fixture
def mill(client: Couch, ledger: Ledger) -> Mill:
    return Mill(client)


def test_the_bytes_of_an_erased_picture_go_and_the_counts_stay(mill: Mill) -> None:
    gone, kept = mill.stored(b"one", b"1"), mill.stored(b"two", b"2")
    mill.erase(gone)
    mill.purge()
    assert mill.has(b"one", b"1", b"two", b"2") == [False, False, True, True]
    counts = mill.ledger.counts()
    assert (counts.accepted, counts.stored, counts.erased, counts.in_flight) == (2, 2, 1, 0)
    assert mill.erasures.of([gone.id, kept.id])[gone.id].state == "purged"
    assert mill.purges.current() is None
    assert not mill.ledger.known_results([gone.result_key])
    assert mill.ledger.known_results([kept.result_key])


def test_what_is_not_due_yet_can_be_taken_back(mill: Mill) -> None:
    job = mill.stored(b"one", b"1")
    mill.erase(job, in_seconds=3600)
    mill.purge()
    assert mill.has(b"one", b"1") == [True, True]
    assert mill.erasures.undo([job.id], time.time()) == [job.id]
    assert mill.ledger.counts().erased == 0
    assert mill.erasures.undo([job.id], time.time()) == []


def test_what_is_due_cannot_be_taken_back(mill: Mill) -> None:
    job = mill.stored(b"one", b"1")
    mill.erase(job, in_seconds=30)
    assert mill.erasures.undo([job.id], time.time()) == []
    assert mill.ledger.counts().erased == 1


def test_an_erasure_is_made_once(mill: Mill) -> None:
    job = mill.stored(b"one", b"1")
    again = Erasure(id=job.id, batch="b", at=timestamp(), by="me", due=timestamp())
    assert [mill.erasures.add([again]), mill.erasures.add([again])] == [[job.id], []]
    assert mill.ledger.counts().erased == 1


def test_bytes_that_another_picture_has_too_stay(mill: Mill) -> None:
    first, second = mill.stored(b"one", b"1"), mill.stored(b"one", b"other", "edges")
    mill.erase(first)
    mill.purge()
    assert mill.has(b"one", b"1", b"other") == [True, False, True]
    assert not mill.ledger.known_results([first.result_key])
    assert mill.ledger.known_results([second.result_key])
    mill.erase(second)
    mill.purge()
    assert mill.has(b"one", b"1", b"other") == [False, False, False]


def test_a_result_that_is_anothers_original_stays(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    mill.accepted(b"1")
    settle(mill, lambda job: mill.ledger.record_outcomes([failed(job)]))
    mill.purge()
    assert mill.has(b"one", b"1") == [False, True]


def test_of_a_result_that_stays_the_preview_of_an_erased_original_goes(mill: Mill) -> None:
    gone, kept = mill.stored(b"one", b"same"), mill.stored(b"two", b"same", "other")
    mill.erase(gone)
    mill.purge()
    result = sha256(b"same")
    assert mill.blobs.preview(result, gone.original.sha256) is None
    assert mill.blobs.preview(result, result) == b"small result"
    assert mill.blobs.get(result) == b"same"
    assert mill.has(b"one", b"two") == [False, True]
    assert kept.id not in mill.erasures.of([kept.id])


def test_more_pictures_with_the_same_bytes_than_are_read_at_once(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagemill.store.erasures._ROWS", 3)
    jobs = [mill.stored(b"one", b"1", f"recipe-{number}") for number in range(8)]
    mill.erase(*jobs[:7])
    mill.purge()
    assert mill.has(b"one", b"1") == [True, True]
    mill.erase(jobs[7])
    mill.purge()
    assert mill.has(b"one", b"1") == [False, False]


def settle(mill: Mill, end: Callable[[Job], object]) -> None:
    for job in mill.ledger.jobs(mill.ledger.newest_ids(1)).values():
        end(job)


def failed(job: Job) -> Outcome:
    return Outcome(id=job.id, batch="b", recipe=job.recipe, status="failed", code="crashed")


def test_nothing_goes_while_a_job_is_in_flight_that_may_have_made_the_same_result(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    late = mill.accepted(b"two")
    mill.purge()
    assert mill.has(b"one", b"1") == [True, True]
    mill.ledger.record_outcomes([Outcome(id=late.id, batch="b", recipe="gray", status="stored", result=info(b"1"))])
    mill.turns(5, 5, TIMES.settle + 1)
    assert mill.has(b"one", b"1") == [False, True]


def test_a_round_gives_way_to_a_job_that_waits_for_its_end_and_is_tried_again(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    late = mill.accepted(b"two")
    mill.turns(0, 0, *[TIMES.settle] * 4)
    assert mill.purges.current() is None
    assert mill.has(b"one", b"1") == [True, True]
    mill.turns(5)
    assert mill.purges.current() is None
    mill.ledger.record_outcomes([Outcome(id=late.id, batch="b", recipe="gray", status="stored", result=info(b"1"))])
    mill.turns(TIMES.settle)
    mill.purge()
    assert mill.has(b"one", b"1") == [False, True]


def test_what_comes_after_everybody_knew_is_not_waited_for(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    mill.accepted(b"two")
    mill.turns(0, 0, TIMES.settle + 1)
    mill.accepted(b"three")
    mill.ledger.record_outcomes([failed(job) for job in mill.ledger.jobs(mill.ledger.newest_ids(2)[1:]).values()])
    mill.turns(5)
    assert mill.has(b"one", b"1") == [False, False]


def test_nothing_goes_while_a_node_is_away_and_the_wait_begins_anew(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    mill.turns(0, 0, TIMES.settle / 2)
    mill.is_whole = False
    mill.turns(TIMES.settle)
    mill.is_whole = True
    mill.turns(TIMES.settle - 1)
    assert mill.has(b"one") == [True]
    mill.turns(2)
    assert mill.has(b"one") == [False]


def test_another_program_goes_on_and_waits_itself(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    mill.turns(0, 0, TIMES.settle + 1 - TIMES.settle)
    mill.eraser = mill.another("two")
    mill.turns(TIMES.settle, 31, TIMES.settle - 1)
    assert mill.has(b"one") == [True]
    mill.turns(2)
    assert mill.has(b"one") == [False]


def test_everybody_is_told_of_a_round_until_it_is_over(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    names: Sequence[str] = [sha256(b"one"), sha256(b"other")]
    mill.watch.check(names, mill.now)
    mill.turns(0)
    mill.now += TIMES.known_for + 1
    assert mill.watch.being_purged(names) == {sha256(b"one")}
    with pytest.raises(BeingPurged):
        mill.watch.check(names, mill.now)
    mill.turns(0, TIMES.settle + 1, 0)
    mill.now += TIMES.known_for + 1
    with pytest.raises(BeingPurged):
        mill.watch.check(names, mill.now)
    mill.turns(TIMES.settle + 1)
    mill.now += TIMES.known_for + 1
    mill.watch.check(names, mill.now)


def test_what_was_erased_is_stored_anew_when_it_comes_again(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    mill.purge()
    mill.stored(b"one", b"1")
    assert mill.has(b"one", b"1") == [True, True]
    counts = mill.ledger.counts()
    assert (counts.stored, counts.erased) == (2, 1)


def test_a_round_takes_a_bounded_number_of_pictures(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eraser_module, "_AT_ONCE", 2)
    mill.erase(*[mill.stored(b"picture %d" % number, b"%d" % number) for number in range(3)])
    mill.purge()
    assert sum(mill.has(b"0", b"1", b"2")) == 1
    mill.purge()
    assert sum(mill.has(b"0", b"1", b"2")) == 0


def test_a_picture_that_was_pinned_meanwhile_is_not_erased_any_more(mill: Mill) -> None:
    kept, gone = mill.stored(b"one", b"1"), mill.stored(b"two", b"2")
    mill.erase(kept, gone)
    mill.erasures.pin(Pin(id=kept.id, batch="b", at=timestamp(), by="me"))
    mill.purge()
    assert mill.has(b"one", b"1", b"two", b"2") == [True, True, False, False]
    assert mill.erasures.of([kept.id]) == {}
    assert mill.ledger.counts().erased == 1


def test_results_are_forgotten_behind_more_pictures_with_the_same_bytes_than_are_read_at_once(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagemill.store.erasures._ROWS", 3)
    gone = [mill.stored(b"%d" % number, b"same") for number in range(5)]
    mill.stored(b"0", b"other", "edges")
    mill.erase(*gone)
    mill.purge()
    assert mill.has(b"0", b"same") == [True, False]
    assert not mill.ledger.known_results([job.result_key for job in gone])


def test_a_result_that_comes_once_more_is_not_known_when_its_picture_was_erased(mill: Mill) -> None:
    job = mill.stored(b"one", b"1")
    mill.erase(job)
    mill.purge()
    for inline_max_bytes in (1000, 0):
        late = late_result(mill, job, b"1", inline_max_bytes)
        assert not mill.ledger.known_results([job.result_key])
        assert late.acknowledged == [True]
    assert mill.ledger.counts().stored == 1


def test_a_result_whose_bytes_are_being_erased_comes_again_later_and_holds_nobody_up(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    mill.turns(0)
    late = result_in_writer(mill, mill.accepted(b"two"), b"1", 1000)
    assert (late.acknowledged, late.deferred) == ([], [True])
    other = result_in_writer(mill, mill.accepted(b"three"), b"3", 1000)
    assert (other.acknowledged, other.deferred) == ([True], [])


def late_result(mill: Mill, job: Job, result: bytes, inline_max_bytes: int) -> Any:
    delivery = result_in_writer(mill, job, result, inline_max_bytes)
    assert mill.has(result) == [False]
    return delivery


def result_in_writer(mill: Mill, job: Job, result: bytes, inline_max_bytes: int) -> Any:
    claims = ClaimCheck(cast(Any, SimpleNamespace(put=lambda *_: False)), inline_max_bytes)
    outcome = Outcome(id=job.id, batch="b", recipe=job.recipe, status="stored", result=info(result))
    message = result_message(job, outcome, result, claims)
    acknowledged: list[bool] = []
    deferred: list[bool] = []
    delivery = SimpleNamespace(
        headers=message.headers, body=message.body, channel_closed=False, acknowledged=acknowledged, deferred=deferred,
        ack=lambda: acknowledged.append(True),
    )  # fmt: skip
    broker = cast(Any, SimpleNamespace(publish_all=lambda messages: [None for _ in messages]))
    writer = OutcomeWriter(
        mill.blobs, mill.ledger, claims, broker, ACTIVITY, "writer", 1, threading.Event(), mill.watch,
        lambda _: deferred.append(True),
    )  # fmt: skip
    writer.handle([cast(Any, delivery)])
    return delivery


def test_nothing_is_announced_while_a_node_is_away_or_blobs_move(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    mill.is_whole = False
    mill.turns(0, 0, TIMES.settle)
    assert mill.purges.current() is None
    assert WAITING._value.get() == TIMES.settle
    mill.is_whole = True
    mill.purge()
    assert mill.has(b"one", b"1") == [False, False]
    mill.turns(0)
    assert WAITING._value.get() == 0


def test_a_round_does_not_last_as_long_as_a_node_is_away(mill: Mill) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    mill.turns(0, 0)
    mill.is_whole = False
    mill.turns(*[TIMES.settle] * 4)
    assert mill.purges.current() is None
    mill.is_whole = True
    mill.turns(TIMES.settle)
    mill.purge()
    assert mill.has(b"one", b"1") == [False, False]


def test_the_wait_begins_anew_when_couchdb_did_not_answer(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    mill.erase(mill.stored(b"one", b"1"))
    mill.turns(0, 0)
    mill.now += TIMES.settle - 1
    with monkeypatch.context() as away:
        away.setattr(Purges, "current", unavailable)
        with pytest.raises(StoreUnavailable):
            mill.eraser.turn()
    mill.turns(2, TIMES.settle - 1)
    assert mill.has(b"one") == [True]
    mill.turns(2)
    assert mill.has(b"one") == [False]


def unavailable(_: Purges) -> None:
    raise StoreUnavailable("away")


def test_a_lease_is_kept_while_many_pictures_with_the_same_bytes_are_looked_at(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagemill.store.erasures._ROWS", 2)
    mill.erase(*[mill.stored(b"one", b"1", f"recipe-{number}") for number in range(4)])
    live, asked = Erasures._live, list[float]()

    def slowly(self: Erasures, rows: Any) -> set[str]:
        asked.append(mill.now)
        mill.now += 20
        return live(self, rows)

    monkeypatch.setattr(Erasures, "_live", slowly)
    held: list[bool] = []
    may_go_on = Eraser._may_go_on

    def asked_whether(self: Eraser) -> bool:
        held.append(self._lease.held)
        return may_go_on(self)

    monkeypatch.setattr(Eraser, "_may_go_on", asked_whether)
    mill.purge()
    assert len(asked) >= 4
    assert len(held) >= len(asked)
    assert mill.has(b"one", b"1") == [False, False]


def test_all_versions_of_a_blob_and_of_a_known_result_go(mill: Mill, couchdb_url: str, couchdb_prefix: str) -> None:
    job = mill.stored(b"one", b"1")
    name = sha256(b"one")
    for database, doc_id in ((f"blobs-{int(name[0], 16) % 4}", name), ("ledger", f"result:{job.result_key}")):
        there = mill.couch.database(database).get(doc_id)
        assert there is not None
        other = {key: value for key, value in there.items() if key not in ("_attachments", "_rev")} | {"_rev": "1-0a"}
        answer = requests.post(
            f"{couchdb_url}/{couchdb_prefix}{database}/_bulk_docs", json={"docs": [other], "new_edits": False},
            timeout=60,
        )  # fmt: skip
        assert answer.ok, answer.text
    mill.erase(job)
    mill.purge()
    assert mill.couch.database(f"blobs-{int(name[0], 16) % 4}").get(name) is None
    assert not mill.ledger.known_results([job.result_key])


def test_bytes_that_only_erased_pictures_have_are_hidden(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, kept = mill.stored(b"one", b"1"), mill.stored(b"two", b"2")
    mill.erase(gone, in_seconds=3600)
    hashes = [sha256(one) for one in (b"one", b"1", b"two", b"2", b"of nobody")]
    assert mill.erasures.hidden(hashes) == set(hashes[:2])
    mill.stored(b"one", b"other", "edges")
    assert mill.erasures.hidden(hashes) == {hashes[1]}
    monkeypatch.setattr("imagemill.store.erasures._ROWS", 1)
    assert mill.erasures.hidden([kept.original.sha256]) == set()
    assert mill.erasures.hidden([hashes[1]]) == {hashes[1]}


def test_a_round_that_has_removed_something_does_not_end_in_vain(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who saw these bytes before must be told of them for as long as they may rely on it."""
    mill.erase(mill.stored(b"one", b"1"))
    mill.turns(0, 0)
    removed: list[str] = []
    remove = mill.blobs.remove

    def remove_one(name: str) -> None:
        if removed:
            raise StoreUnavailable("CouchDB went away")
        removed.append(name)
        remove(name)

    monkeypatch.setattr(mill.blobs, "remove", remove_one)
    with pytest.raises(StoreUnavailable):
        mill.turns(TIMES.settle + 1)
    mill.is_whole = False
    mill.accepted(b"in flight")
    mill.turns(*[TIMES.settle] * 5)
    assert mill.purges.current() is not None
    monkeypatch.setattr(mill.blobs, "remove", remove)
    mill.is_whole = True
    mill.turns(TIMES.settle + 1)
    assert mill.has(b"one", b"1") == [False, False]
    assert mill.purges.current() is not None
    mill.turns(0, TIMES.settle + 1)
    assert mill.purges.current() is None


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_bytes_and_previews_go_wherever_they_are(mill: Mill, tmp_path: Path, s3: S3Server, kind: str) -> None:
    places: dict[str, Callable[[], Blobs]] = {
        "folder": lambda: FolderBlobs(tmp_path),
        "s3": lambda: S3Blobs(place(s3, "x")),
    }
    mill.blobs = places[kind]()
    mill.blobs.prepare()
    mill.eraser = mill.another("one")
    gone, kept = mill.stored(b"one", b"same"), mill.stored(b"two", b"same", "other")
    mill.erase(gone)
    mill.purge()
    assert mill.has(b"one", b"same", b"two") == [False, True, True]
    assert mill.blobs.preview(sha256(b"same"), gone.original.sha256) is None
    assert mill.blobs.preview(sha256(b"same"), sha256(b"same")) == b"small result"
    mill.erase(kept)
    mill.purge()
    assert mill.has(b"one", b"same", b"two") == [False, False, False]
    assert list(mill.blobs.all_names()) in ([], [[]])


def test_nothing_is_announced_before_it_can_be_told_who_needs_what(mill: Mill, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first index of many pictures takes long, and what is announced nobody can store meanwhile."""

    def takes_long(_: object) -> None:
        raise StoreUnavailable("the index is being built")

    with monkeypatch.context() as patch:
        patch.setattr(Erasures, "refresh_index", takes_long)
        mill.erase(mill.stored(b"one", b"1"))
        with pytest.raises(StoreUnavailable):
            mill.turns(0)
    assert mill.purges.current() is None
    mill.purge()
    assert mill.has(b"one", b"1") == [False, False]


def test_the_index_is_made_as_soon_as_anything_is_erased(mill: Mill) -> None:
    mill.turns(0)
    assert not mill.purges.has_index()
    mill.erase(mill.stored(b"one", b"1"), in_seconds=3600)
    mill.turns(5)
    assert mill.purges.has_index()
    assert mill.has(b"one") == [True]


def test_a_result_that_a_node_misses_in_a_list_is_forgotten_all_the_same(
    mill: Mill, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = mill.stored(b"one", b"1")
    mill.erase(job)
    lists = Database.get_many

    def without_results(database: Database, ids: Sequence[str]) -> dict[str, Document]:
        return {name: found for name, found in lists(database, ids).items() if not name.startswith("result:")}

    monkeypatch.setattr(Database, "get_many", without_results)
    mill.purge()
    monkeypatch.undo()
    assert not mill.ledger.known_results([job.result_key])
    assert mill.has(b"one", b"1") == [False, False]
