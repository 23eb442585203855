"""The dispatcher: what it publishes, says and tries again, with a ledger and a broker that are looked at."""

from collections.abc import Iterable
from itertools import pairwise
from types import SimpleNamespace

import pytest

from imagemill.api.images.dispatch import Dispatcher
from imagemill.api.images.shares import Shares
from imagemill.domain.images import Job
from imagemill.store.couch import StoreUnavailable
from imagemill.store.held_jobs import HeldLine
from imagemill.wire.broker import BrokerUnavailable, Outgoing, Refused, Unroutable
from writer.test_redrive_policy import job

JOBS = [job(100 - n).model_copy(update={"owner": "ann"}) for n in range(4)]


class Broker:
    ready = True

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.taken: list[str | None] = []

    def publish_all(self, messages: Iterable[Outgoing]) -> list[BaseException | None]:
        ids = [message.message_id for message in messages]
        self.taken += [] if self.error else ids
        return [self.error for _ in ids]


class Ledger:
    def __init__(self) -> None:
        self.error: Exception | None = None
        self.done: dict[str, None] = {}

    def jobs(self, ids: Iterable[str]) -> dict[str, Job]:
        if self.error:
            raise self.error
        return {one.id: one for one in JOBS if one.id in set(ids)}

    def outcomes(self, ids: Iterable[str]) -> dict[str, None]:
        return {job_id: None for job_id in ids if job_id in self.done}


class Statements:
    said: list[HeldLine] | None = None

    def say(self, _: str, lines: Iterable[HeldLine]) -> None:
        self.said = list(lines)

    def withdraw(self, _: str) -> None:
        self.said = None


class Dispatching:
    """A dispatcher that has taken four jobs of one owner, whose share is one."""

    def __init__(self) -> None:
        self.shares, self.broker, self.ledger, self.statements = Shares(1, 1), Broker(), Ledger(), Statements()
        claims = SimpleNamespace(check_in=lambda message, *_, **__: message)
        self.dispatcher = Dispatcher(
            self.shares, self.ledger, self.broker, claims, self.statements, "api", 0, lambda _: "default",  # type: ignore[arg-type]
        )  # fmt: skip
        assert [self.dispatcher.take(one) for one in JOBS] == [True, False, False, False]

    def round(self) -> list[str | None]:
        self.broker.taken.clear()
        self.dispatcher._round()
        return list(self.broker.taken)


def test_what_is_nobodys_is_never_held() -> None:
    assert all(Dispatching().dispatcher.take(job(n)) for n in range(10))


def test_one_is_published_when_one_before_it_ended_and_what_is_held_is_said_until_nothing_is() -> None:
    found = Dispatching()
    assert found.round() == []
    assert found.statements.said == [HeldLine("ann", "default", 0, JOBS[1].id)]
    for ended, following in pairwise(JOBS):
        found.dispatcher.ended(SimpleNamespace(id=ended.id, recipe="gray"))  # type: ignore[arg-type]
        assert found.round() == [following.id]
    assert found.statements.said is None


@pytest.mark.parametrize("error", [Refused("full"), BrokerUnavailable("no confirm")])
def test_what_the_broker_does_not_take_is_published_in_the_next_round(error: Exception) -> None:
    found = Dispatching()
    found.dispatcher.not_published([(JOBS[0], error)])
    found.broker.error = error
    assert found.round() == []
    found.broker.error = None
    assert found.round() == [JOBS[0].id]


def test_what_no_queue_takes_is_left_to_re_drive() -> None:
    found = Dispatching()
    found.dispatcher.not_published([(JOBS[0], Unroutable("no queue"))])
    assert found.round() == []


def test_without_the_ledger_everything_stays_held() -> None:
    found = Dispatching()
    found.shares.forget([JOBS[0].id])
    found.ledger.error = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        found.round()
    found.ledger.error = None
    assert found.round() == [JOBS[1].id]


def test_an_outcome_that_nobody_told_is_found_in_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Dispatching()
    found.ledger.done = {JOBS[0].id: None}
    monkeypatch.setattr("imagemill.api.images.dispatch._UNHEARD_SECONDS", -1.0)
    found.round()
    assert found.round() == [JOBS[1].id]
