"""Deliveries at the console and on the page: listed, and sent again when they were given up."""

import json
from collections.abc import Callable

import pytest

from fake_api import Ended
from imagemill.alerting.outbox import attempted
from imagemill.alerting.outcomes import batch_event
from imagemill.domain.alerts import ChannelSummary
from imagemill.domain.deliveries import DeliveryAttempt, EventDelivery, delivery_id
from imagemill.domain.ids import timestamp
from imagemill.domain.images import Counts
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import Couch
from imagemill.store.deliveries import DeliveryStore
from mill import Mill
from pictures import photo_jpeg

Run = Callable[..., Ended]
EVIL = "<b>not here</b>"


@pytest.fixture
def run(imagemill: Run, mill: Mill) -> Run:
    return lambda *arguments: imagemill(*arguments, "--api", mill.url)


@pytest.fixture
def store(mill: Mill) -> DeliveryStore:
    couch = Couch(mill.couchdb_url, mill.prefix)
    AlertStore(couch).publish_channels([
        ChannelSummary(name="shop", kind="webhook", outcomes=["image.stored"], callback=True),
        ChannelSummary(name="office", kind="apprise"),
    ])  # fmt: skip
    return DeliveryStore(couch)


def given_up(store: DeliveryStore, batch: str, receiver: str = "shop") -> str:
    """The id of a delivery that its receiver has refused."""
    at = timestamp()
    event = batch_event(batch, Counts(accepted=3, stored=3), at, "https://mill.example")
    new = EventDelivery(id=delivery_id(at, receiver, event["id"]), receiver=receiver, event=event, due_at=1.0)
    refused = DeliveryAttempt(at=2.0, ok=False, status=404, answer=f"404 Not Found: {EVIL}")
    assert store.add([attempted(new, refused, 0.0)]) == 1
    return new.id


def test_receivers_are_those_that_are_told_of_outcomes(run: Run, store: DeliveryStore) -> None:
    ended = run("webhooks", "receivers")
    assert ended.code == 0
    assert "shop" in ended.out
    assert "office" not in ended.out


def test_what_was_given_up_is_listed_shown_and_sent_again(run: Run, store: DeliveryStore) -> None:
    identifier = given_up(store, "spring")
    listed = json.loads(run("webhooks", "list", "--state", "failed", "--receiver", "shop", "--json").out)["deliveries"]
    assert [one["id"] for one in listed] == [identifier]
    assert "404 Not Found" in run("webhooks", "list").out
    shown = json.loads(run("webhooks", "show", identifier).out)
    assert (shown["state"], shown["event"]["id"], shown["next_at"]) == ("failed", "batch:spring:complete:3", None)
    again = run("webhooks", "retry", identifier)
    assert (again.code, "1 delivery will be sent again" in again.out) == (0, True)
    assert json.loads(run("webhooks", "show", identifier).out)["state"] == "waiting"
    refused = run("webhooks", "retry", identifier, "2026-11-21T09:15:02.421Z:shop:batch:none:complete:1")
    assert refused.code == 1
    assert "not-given-up" in refused.out
    assert "unknown-delivery" in refused.out


def test_all_of_one_receiver_are_sent_again_and_not_those_of_others(run: Run, store: DeliveryStore) -> None:
    ids = [given_up(store, f"summer-{n}", "books") for n in range(3)]
    others = given_up(store, "autumn", "toys")
    done = json.loads(run("webhooks", "retry", "--all", "--receiver", "books", "--json").out)
    assert sorted(done["retried"]) == sorted(ids)
    assert store.failed() == {"toys": 1}
    assert run("webhooks", "retry", "--all", "--receiver", "books").code == 1
    assert json.loads(run("webhooks", "retry", "--all", "--json").out)["retried"] == [others]
    assert run("webhooks", "retry").code == 2


def test_an_upload_names_its_receivers(run: Run, store: DeliveryStore, mill: Mill, tmp_path) -> None:
    (tmp_path / "kite.jpg").write_bytes(photo_jpeg(seed=77))
    named = ("--callback", "shop", "--batch-callback", "shop")
    for batch in ("first", "known-by-then"):
        assert run("upload", tmp_path, "--batch", batch, "--wait", *named).code == 0
        (image,) = mill.get("/api/v1/images", params={"batch": batch}).json()["images"]
        assert (image["callback"], image["batch_callback"]) == ("shop", "shop")
    (tmp_path / "other.jpg").write_bytes(photo_jpeg(seed=78))
    refused = run("upload", tmp_path / "other.jpg", "--callback", "office")
    assert refused.code == 1
    assert "No receiver 'office' takes callbacks; there are shop." in refused.err


def test_the_page_shows_receivers_and_sends_again(store: DeliveryStore, mill: Mill) -> None:
    first, second = given_up(store, "winter", "page"), given_up(store, "winter-2", "page")
    html = mill.get("/webhooks", params={"receiver": "page", "state": "failed"}).text
    assert "not in the channels file" in html
    assert EVIL not in html
    assert html.count("Send batch:") == 2
    sent = mill.post("/webhooks/retry", data={"delivery": first})
    assert "1 delivery will be sent again now" in sent.text
    assert "1 delivery will be sent again now" in mill.post("/webhooks/retry", data={"receiver": "page"}).text
    assert {one.id for one in store.page(9, state="waiting", receiver="page").deliveries} == {first, second}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"state": "lost"}, 422, "bad-value"), ({"receiver": "A B"}, 422, "bad-value"),
        ({"after": "../x"}, 400, "bad-cursor"), ({"limit": "0"}, 400, "bad-limit"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_is_refused(mill: Mill, query: dict[str, str], status: int, code: str) -> None:
    answer = mill.get("/api/v1/deliveries", params=query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_pages_of_deliveries_have_each_once(store: DeliveryStore, mill: Mill) -> None:
    ids = [given_up(store, f"page-{n}", "paged") for n in range(7)]
    for state in ({}, {"state": "failed"}):
        found, after = [], ""
        while after is not None:
            query = {"receiver": "paged", "limit": 3, "after": after or None, **state}
            page = mill.get("/api/v1/deliveries", params=query).json()
            found, after = found + [one["id"] for one in page["deliveries"]], page["next"]
        assert found == sorted(ids, reverse=True)
