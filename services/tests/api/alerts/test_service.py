"""What somebody says of an alert is answered, also when another takes it back or a node does not know it yet."""

import contextlib
from types import SimpleNamespace
from typing import Any, cast

import pytest

from imagemill.alerting.records import acknowledgement
from imagemill.api.alerts import service
from imagemill.api.alerts.service import AlertStores
from imagemill.domain.alerts import Acknowledgement
from imagemill.domain.errors import ChangedMeanwhile


def stores(first: Acknowledgement | None) -> AlertStores:
    """The lists know of no acknowledgement; what a majority knows is given."""
    book = SimpleNamespace(acknowledged=lambda _: {}, first_acknowledged=lambda _: first)
    return cast("AlertStores", SimpleNamespace(book=book))


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "alert_of", lambda *_: None)
    monkeypatch.setattr(service, "_acknowledge", lambda *_: [17])


@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        (acknowledgement(17, "ann", 0), contextlib.nullcontext()),
        (None, pytest.raises(ChangedMeanwhile, match="alert 17")),
    ],
)
def test_an_acknowledgement_is_answered(first: Acknowledgement | None, outcome: Any) -> None:
    with outcome:
        assert service.acknowledge(stores(first), 17, {}).by == "ann"
