"""Re-drive goes on, whatever the broker answers to one job."""

from types import SimpleNamespace

import pytest

from core.test_redrive_policy import job
from imagemill.store.watermark import Watermark
from imagemill.wire.broker import BrokerUnavailable, Outgoing, Refused, Unroutable
from imagemill.writer.redrive import Redrive

AGES = [500.0, 450.0, 400.0]


class PickyBroker:
    """Does not take the first message."""

    ready = True

    def __init__(self, error: Exception) -> None:
        self.errors, self.taken = [error], list[str | None]()

    def publish(self, message: Outgoing) -> None:
        if self.errors:
            raise self.errors.pop()
        self.taken.append(message.message_id)


@pytest.mark.parametrize("error", [Refused("full"), BrokerUnavailable("no confirm"), Unroutable("no queue")])
def test_a_job_that_cannot_be_published_does_not_keep_the_others_from_it(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = {lost.id: lost for lost in map(job, AGES)}
    monkeypatch.setattr(Watermark, "read", lambda _: "0")
    monkeypatch.setattr(Watermark, "raise_to", lambda *_: None)
    couch = SimpleNamespace(database=lambda _: None)
    ledger = SimpleNamespace(in_flight_ids=lambda *_: list(jobs), jobs=lambda _: jobs)
    lease = SimpleNamespace(hold=lambda: True, held=True)
    claims = SimpleNamespace(check_in=lambda message, *_, **__: message)
    broker = PickyBroker(error)
    activity = SimpleNamespace(note=lambda *_, **__: None)
    redrive = Redrive(couch, ledger, claims, broker, activity, lease, 300.0, lambda _: 0, lambda _: "")  # type: ignore[arg-type]
    redrive.turn()
    first, *others = jobs
    assert broker.taken == others
    redrive.turn()  # the first is still in flight, and its turn comes again; the others have a while
    assert broker.taken == [*others, first]
