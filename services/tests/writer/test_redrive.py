"""Re-drive finds every lost job, wherever it is and whatever the broker answers to one of them."""

import time
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from imagemill.domain.ids import floor_at
from imagemill.domain.images import Job
from imagemill.store.watermark import Watermark
from imagemill.wire.broker import BrokerUnavailable, Outgoing, Refused, Unroutable
from imagemill.writer.held import Held
from imagemill.writer.redrive import Redrive
from writer.test_redrive_policy import AFTER, job

PAGE = 3


class PickyBroker:
    """Does not take the first message."""

    ready = True

    def __init__(self, error: Exception | None) -> None:
        self.errors, self.taken = [error] if error else [], list[str | None]()
        self.addresses: list[tuple[str, str]] = []

    def publish_all(self, messages: Iterable[Outgoing]) -> list[BaseException | None]:
        return [self._publish(message) for message in messages]

    def _publish(self, message: Outgoing) -> BaseException | None:
        if self.errors:
            return self.errors.pop()
        self.taken.append(message.message_id)
        self.addresses.append((message.exchange, message.key))
        return None


class Pages:
    """A ledger in which nothing is done, read in pages of three."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.all = {one.id: one for one in sorted(jobs, key=lambda one: one.id)}

    def in_flight_page(self, start: str, end: str) -> tuple[list[str], str | None]:
        page = [job_id for job_id in self.all if start <= job_id < end][:PAGE]
        return page, (page[-1] + "!" if page else None)

    def jobs(self, ids: Iterable[str]) -> dict[str, Job]:
        return {job_id: self.all[job_id] for job_id in ids}


class Redriven:
    """Re-drive with a ledger, a broker and a watermark that are looked at."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, jobs: Iterable[Job], error: Exception | None = None,
        mark: str = floor_at(0), waiting: Any = lambda _: 0, frontier: Any = lambda _: "",
        held: Held | None = None,
    ) -> None:  # fmt: skip
        self.mark, self.broker = mark, PickyBroker(error)
        monkeypatch.setattr(Watermark, "read", lambda _: self.mark)
        monkeypatch.setattr(Watermark, "raise_to", lambda _, to: setattr(self, "mark", to))
        couch = SimpleNamespace(database=lambda _: None)
        lease = SimpleNamespace(hold=lambda: True, held=True)
        claims = SimpleNamespace(check_in=lambda message, *_, **__: message)
        activity = SimpleNamespace(note=lambda *_, **__: None)
        self.redrive = Redrive(
            couch, Pages(jobs), claims, self.broker, activity, lease, AFTER, waiting, frontier,  # type: ignore[arg-type]
            lambda _: "work.default", held or Held(SimpleNamespace(all=list), lambda _: "default", 30, 100),  # type: ignore[arg-type]
        )  # fmt: skip

    def turn(self) -> list[str | None]:
        self.broker.taken.clear()
        self.redrive.turn()
        return list(self.broker.taken)


@pytest.mark.parametrize("error", [Refused("full"), BrokerUnavailable("no confirm")])
def test_a_job_that_cannot_be_published_does_not_keep_the_others_from_it(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = (lost.id for lost in map(job, [500.0, 450.0, 400.0]))
    redriven = Redriven(monkeypatch, map(job, [500.0, 450.0, 400.0]), error)
    assert redriven.turn() == others
    assert redriven.turn() == [first]  # still in flight; the others have a while


def test_a_job_whose_recipe_is_gone_goes_straight_to_the_queue_of_its_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    redriven = Redriven(monkeypatch, [job(500)], Unroutable("no queue"))
    assert redriven.turn() == [job(500).id]
    assert redriven.broker.addresses == [("images", "work.default")]


def test_jobs_which_wait_do_not_hide_lost_ones_of_another_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [job(2000 - n).model_copy(update={"recipe": "denoise"}) for n in range(5 * PAGE)]
    lost = [job(1000 - n) for n in range(PAGE)]
    redriven = Redriven(monkeypatch, [*waiting, *lost], waiting=lambda recipe: 5 * PAGE if recipe == "denoise" else 0)
    assert redriven.turn() == [one.id for one in lost]


def test_a_job_before_the_watermark_is_found_by_the_sweep_and_only_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = job(1000)
    redriven = Redriven(monkeypatch, [slow], mark=floor_at(time.time() - 500))
    assert redriven.turn() == [slow.id]
    redriven.redrive._rounds.last.clear()  # as after its patience
    assert redriven.turn() == []
    redriven.redrive._next_sweep_at = 0.0  # as a day later
    assert redriven.turn() == [slow.id]


def test_the_watermark_stays_before_the_oldest_job_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    young, old = job(400), job(4000)
    redriven = Redriven(monkeypatch, [young, old], waiting=lambda _: 2)
    assert redriven.turn() == []
    assert redriven.mark == old.id


def test_with_nothing_in_flight_the_watermark_rises_but_leaves_time_for_latecomers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    redriven = Redriven(monkeypatch, [])
    redriven.turn()
    assert floor_at(time.time() - AFTER - 500) < redriven.mark < floor_at(time.time() - AFTER - 300)
