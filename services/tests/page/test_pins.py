"""A picture is pinned or erased, never both, whatever happens at the same moment."""

import time

import pytest

from imagemill.domain.erasures import Erasure, Pin
from imagemill.domain.ids import timestamp
from imagemill.store.erasures import Erasures
from page_site import BATCH, Site


def test_a_pin_that_comes_while_its_picture_is_erased_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    one, pin = site.ids["duplicate"], Erasures.pin

    def erased_meanwhile(erasures: Erasures, wanted: Pin) -> bool:
        due = timestamp(time.time() + 3600)
        erasures.add([Erasure(id=wanted.id, batch=BATCH, at=timestamp(), by="somebody", due=due)])
        return pin(erasures, wanted)

    monkeypatch.setattr(Erasures, "pin", erased_meanwhile)
    answer = site.client.put(f"/api/v1/images/{one}/pin", json={"note": "evidence"})
    assert (answer.status_code, answer.json["code"]) == (410, "erased")
    erasures = site.services.stores.erasures
    assert erasures.pins([one]) == {}
    assert erasures.undo([one], time.time()) == [one]


def test_a_pin_stays_as_it_was_made_first(site: Site) -> None:
    path = f"/api/v1/images/{site.ids['stored']}/pin"
    notes = [site.client.put(path, json={"note": note}).json["note"] for note in ("first", "second")]
    assert notes == ["first", "first"]
    assert [site.client.delete(path).status_code for _ in range(2)] == [204, 204]
