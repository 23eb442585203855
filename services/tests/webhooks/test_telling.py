"""Receivers hear of outcomes: who has subscribed, and whom an upload names; signed, as CloudEvents, each by its id."""

import time

from imagemill.alerting.signature import verify
from imagemill.store.deliveries import DeliveryStore
from mill import Mill, wait_for
from pictures import bomb_png_header
from pipeline.test_upload import unique_jpeg
from receiver import Receiver
from webhooks.telling import SECRET, Channels, channel, known_to_the_api, told


def test_a_subscriber_is_told_of_what_it_wants_and_a_named_receiver_of_what_names_it(
    own_mill: Mill, channels: Channels, receiver: Receiver, other: Receiver, deliveries: DeliveryStore
) -> None:
    channels.write(
        archive=channel(receiver, "image.stored"), shop=channel(other, callback=True), office={"apprise": "json://x"}
    )
    own_mill.start("writer", "api", "worker").start("alerter", page_url="https://mill.example/")
    known_to_the_api(own_mill, "archive", "shop")
    (plain,) = own_mill.accepted(unique_jpeg(), batch="spring")
    (named,) = own_mill.accepted(unique_jpeg(), batch="spring", callback="shop", batch_callback="shop")
    assert own_mill.image(named)["callback"] == own_mill.image(named)["batch_callback"] == "shop"
    assert told(receiver, 2) == sorted([f"image:{plain}:stored", f"image:{named}:stored"])
    assert told(other, 2) == ["batch:spring:complete:2", f"image:{named}:stored"]

    headers, body = receiver.got[0]
    verify([SECRET.encode()], headers, body, time.time())
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    event = receiver.events()[0]
    assert headers["Idempotency-Key"] == event["id"]
    image = event["data"]["id"]
    assert event == {
        "specversion": "1.0", "id": f"image:{image}:stored", "source": "https://mill.example",
        "type": "dev.imagemill.image.stored", "time": own_mill.image(image)["trace"][-1]["at"],
        "subject": f"images/{image}", "datacontenttype": "application/json", "data": event["data"],
    }  # fmt: skip
    assert event["data"]["result_url"] == f"https://mill.example/api/v1/images/{image}/result"
    assert event["data"]["result"] == own_mill.image(image)["result"]
    (complete,) = [one for one in other.events() if one["type"] == "dev.imagemill.batch.complete"]
    assert complete["data"] == {
        "batch": "spring", "accepted": 2, "stored": 2, "failed": 0, "duplicates": 0, "damaged": 0, "rejected": 0,
        "url": "https://mill.example/api/v1/batches/spring",
    }  # fmt: skip
    wait_for(lambda: not deliveries.waiting(), "all to be recorded")
    assert {one.state for one in deliveries.page(50).deliveries} == {"delivered"}


def test_an_upload_may_name_no_receiver_but_those_that_take_callbacks(
    own_mill: Mill, channels: Channels, receiver: Receiver
) -> None:
    channels.write(archive=channel(receiver, "image.stored"), shop=channel(receiver, callback=True))
    own_mill.start("writer", "api", "alerter")
    known_to_the_api(own_mill, "archive", "shop")
    for name in ("archive", "nobody", "https://evil.example/hook"):
        for field in ("callback", "batch_callback"):
            answer = own_mill.upload(unique_jpeg(), **{field: name})
            assert (answer.status_code, answer.json()["code"]) == (400, "unknown-callback")
            assert "there are shop" in answer.json()["detail"]
    assert own_mill.totals()["offered"] == 0


def test_a_batch_is_complete_once_more_when_pictures_were_added(
    own_mill: Mill, channels: Channels, receiver: Receiver
) -> None:
    channels.write(archive=channel(receiver, "batch.complete"))
    own_mill.start("writer", "api", "worker", "alerter")
    known_to_the_api(own_mill, "archive")
    own_mill.accepted(unique_jpeg(), unique_jpeg(), batch="spring")
    assert told(receiver, 1) == ["batch:spring:complete:2"]
    own_mill.accepted(unique_jpeg(), batch="spring")
    assert told(receiver, 2) == ["batch:spring:complete:2", "batch:spring:complete:3"]
    assert len(receiver.got) == 2


def test_who_was_told_of_a_failure_is_told_of_its_retry(own_mill: Mill, channels: Channels, receiver: Receiver) -> None:
    channels.write(shop=channel(receiver, callback=True))
    own_mill.start("writer", "api", "worker", "alerter")
    known_to_the_api(own_mill, "shop")
    (failed,) = own_mill.accepted(bomb_png_header(300, 200), callback="shop")
    assert told(receiver, 1) == [f"image:{failed}:failed"]
    assert receiver.events()[0]["data"]["code"] == own_mill.image(failed)["code"]
    again = own_mill.post(f"/api/v1/images/{failed}/retry").json()["id"]
    assert own_mill.ended(again)["callback"] == "shop"
    assert f"image:{again}:failed" in told(receiver, 2)
    assert {one["data"]["retry_of"] for one in receiver.events()} == {None, failed}
