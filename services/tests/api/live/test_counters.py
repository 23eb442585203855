"""The counters of one process: they read when they must, and are right again after anything that was not heard."""

import itertools
import re
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import requests

from imagemill.api.live import counters as counters_module
from imagemill.api.live.counters import Counters
from imagemill.api.live.tally import Heard
from imagemill.domain.ids import timestamp, uuid7
from imagemill.domain.images import Counts, Rejection
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from imagemill.store.couch import Couch, StoreUnavailable
from imagemill.store.ledger import Ledger
from mill import Mill, wait_for

# A reading that takes long on a busy machine is not repeated soon.
SECONDS = 60


class Reader:
    """A ledger that counts how often it is read."""

    def __init__(self) -> None:
        self.counts, self.times, self.is_away = {None: Counts(accepted=5, stored=5)}, 0, False

    def __call__(self, batch: str | None) -> Counts:
        self.times += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return self.counts.get(batch, Counts())


@pytest.fixture(autouse=True)
def even_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A millisecond for each look: what is heard is later than a reading before it, however busy the machine is.

    On a real clock a pause between two looks at it makes news seem older, so that they wait for the next reading.
    """
    looks = itertools.count()

    def now() -> float:
        return 1e9 + next(looks) / 1000

    monkeypatch.setattr(counters_module, "time", SimpleNamespace(time=now, monotonic=now))


def job(number: int, batch: str = "b") -> Heard:
    return Heard(("job", str(number)), batch, counters_module.time.time(), Counts(accepted=1))


def test_before_anything_is_heard_each_look_is_a_reading() -> None:
    reader = Reader()
    counters = Counters(reader)
    assert counters.now() == counters.now()
    assert reader.times == 2


def test_looks_cost_no_reading_and_show_what_is_heard() -> None:
    reader = Reader()
    counters = Counters(reader)
    counters.start()
    assert [counters.now().accepted for _ in range(3)] == [5, 5, 5]
    counters.hear(job(1))
    assert counters.now().in_flight == 1
    assert reader.times == 1


def test_a_batch_that_is_looked_at_is_counted_too() -> None:
    reader = Reader()
    reader.counts["b"] = Counts(accepted=1, stored=1)
    counters = Counters(reader)
    counters.start()
    counters.now("b")
    counters.hear(job(1))
    counters.hear(job(2, "c"))
    assert counters.now("b").accepted == 2
    assert reader.times == 1
    reader.counts["b"] = Counts(accepted=9, stored=9)
    counters.doubt()
    assert counters.now("b").accepted == 9


def test_what_happens_while_a_batch_is_read_for_the_first_time_is_heard() -> None:
    ledger = [Counts(accepted=1, stored=1)]

    def read(batch: str | None) -> Counts:
        seen = ledger[-1]
        if len(ledger) == 1:  # committed, and heard, before this reading is done
            ledger.append(Counts(accepted=2, stored=1))
            counters.hear(job(2))
        return seen

    counters = Counters(read)
    counters.start()
    assert [counters.now("b").accepted for _ in range(2)] == [1, 2]


def test_what_is_asked_exactly_is_the_ledgers_own_count() -> None:
    reader = Reader()
    counters = Counters(reader)
    counters.start()
    counters.now()
    counters.hear(replace(job(1), since=counters_module.time.time()))
    assert counters.now().accepted == 6
    assert counters.reading().accepted == 5


def test_a_batch_that_is_not_there_is_not_kept() -> None:
    reader = Reader()
    counters = Counters(reader)
    counters.start()
    assert not counters.now("nothing").offered
    assert not counters.now("nothing").offered
    assert reader.times == 2


def test_what_cannot_be_read_is_not_known() -> None:
    reader = Reader()
    counters = Counters(reader)
    counters.start()
    counters.now()
    reader.is_away = True
    with pytest.raises(StoreUnavailable):
        counters.reading()
    assert counters.known() is None
    with pytest.raises(StoreUnavailable):
        counters.now()
    reader.is_away = False
    assert counters.now().accepted == 5


def test_many_who_ask_at_once_share_a_reading() -> None:
    reader = Reader()
    started, going = threading.Event(), threading.Event()

    def slow(batch: str | None) -> Counts:
        started.set()
        going.wait(SECONDS)
        return reader(batch)

    counters = Counters(slow)
    threads = [threading.Thread(target=counters.now)]
    threads[0].start()
    started.wait(SECONDS)
    threads += [threading.Thread(target=counters.now) for _ in range(5)]
    for thread in threads[1:]:
        thread.start()
    time.sleep(0.2)
    going.set()
    for thread in threads:
        thread.join()
    assert reader.times == 2  # the first, and one for all who came after it had begun


def rejected(mill: Mill) -> int:
    found = re.search(r'data-count="rejected">([\d,]+)<', mill.get("/").text)
    assert found
    return int(found[1].replace(",", ""))


def write_unheard(mill: Mill, couch: CouchServer, count: int) -> None:
    """Into the ledger, and nobody says so."""
    ledger = Ledger(Couch(couch.url, mill.prefix))
    ledger.accept([], [], [
        Rejection(id=uuid7(), batch="unheard", name="a", code="empty", detail="", at=timestamp()) for _ in range(count)
    ])  # fmt: skip


def test_after_a_lost_connection_the_counts_are_right_within_seconds(
    mill: Mill, couch: CouchServer, rabbit: RabbitServer
) -> None:
    before = rejected(mill)
    write_unheard(mill, couch, 3)
    with requests.Session() as broker:
        broker.auth = (rabbit.user, rabbit.password)
        vhost = mill.amqp_url.rpartition("/")[2]

        def connections() -> list[str]:
            found = broker.get(f"{rabbit.management_url}/api/connections", timeout=60).json()
            return [item["name"] for item in found if item.get("vhost") == vhost]

        wait_for(connections, "the broker to tell of connections")
        for name in connections():
            broker.delete(f"{rabbit.management_url}/api/connections/{name}", timeout=60)
    wait_for(lambda: rejected(mill) == before + 3, "the counts to be right again", SECONDS)


def test_pages_show_an_upload_at_once_and_its_end(mill: Mill) -> None:
    def equation() -> dict[str, int]:
        found = re.findall(r'data-count="(\w+)">([\d,]+)<', mill.get("/").text)
        return {name: int(value.replace(",", "")) for name, value in found}

    before = equation()
    # Cut off from the broker, as by the test before, it takes nothing in: 503 until it is connected again.
    wait_for(lambda: mill.upload(b"no picture").status_code == 415, "the upload to be judged", SECONDS)
    wait_for(lambda: equation()["rejected"] == before["rejected"] + 1, "the rejected one", SECONDS)
    counts = equation()
    assert counts["accepted"] == counts["stored"] + counts["failed"] + counts["in_flight"]
