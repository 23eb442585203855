"""In which month a delivery is kept, and what is too old to be told."""

import pytest

from imagemill.alerter.outbox import filed
from imagemill.alerting.outcomes import batch_event
from imagemill.domain.deliveries import month_of_delivery
from imagemill.domain.ids import seconds_of
from imagemill.domain.images import Counts

NOW = "2026-11-30T12:00:00.000Z"


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (NOW, "2026-11"), ("2026-10-01T00:00:00.000Z", "2026-10"), ("2026-12-01T00:00:00.000Z", "2026-12"),
        ("2031-01-01T00:00:00.000Z", "2026-11"), ("2026-09-30T23:59:59.999Z", None), ("1970-01-01T00:00:00.000Z", None),
    ],
)  # fmt: skip
def test_an_event_is_filed_in_its_month_unless_it_is_too_old_or_of_a_wrong_clock(at: str, month: str | None) -> None:
    event = batch_event("spring", Counts(accepted=1, stored=1), at, "https://mill.example")
    found = filed([(event, ["desk", "shop"])], seconds_of(NOW))
    assert [month_of_delivery(one.id) for one in found] == ([month, month] if month else [])
    assert [one.receiver for one in found] == (["desk", "shop"] if month else [])
    assert len({one.id for one in found}) == len(found)
