"""Nothing that was to be told is lost, whoever dies; what is told twice has the same id; nobody waits for another."""

import signal

from imagemill.store.couch import Couch
from imagemill.store.deliveries import DeliveryStore
from imagemill.store.webhook_state import WebhookState
from mill import Mill, wait_for
from pipeline.test_upload import unique_jpeg
from receiver import Receiver
from webhooks.telling import Channels, channel, known_to_the_api, told


def test_a_sender_killed_between_delivery_and_record_sends_the_same_event_again(
    own_mill: Mill, channels: Channels, receiver: Receiver, deliveries: DeliveryStore
) -> None:
    channels.write(archive=channel(receiver, "image.stored"))
    own_mill.start("writer", "api", "worker", "alerter")
    known_to_the_api(own_mill, "archive")
    receiver.hold.clear()
    (first,) = own_mill.accepted(unique_jpeg())
    wait_for(receiver.arrived.is_set, "the event")
    own_mill.kill("alerter")
    (second,) = own_mill.accepted(unique_jpeg())
    own_mill.ended(second)
    receiver.hold.set()
    own_mill.start("alerter")
    assert told(receiver, 2) == sorted([f"image:{first}:stored", f"image:{second}:stored"])
    wait_for(lambda: not deliveries.waiting(), "all to be recorded")
    bodies = [body for _, body in receiver.got]
    assert len(bodies) == 3
    assert len(set(bodies)) == 2
    assert {one.state for one in deliveries.page(50).deliveries} == {"delivered"}


def test_what_ends_while_nobody_sends_is_told_later_without_any_message_of_the_broker(
    own_mill: Mill, channels: Channels, receiver: Receiver, couch_of_mill: Couch
) -> None:
    channels.write(archive=channel(receiver, "image.stored", "batch.complete"))
    own_mill.start("writer", "api", "worker", "alerter")
    known_to_the_api(own_mill, "archive")
    cursor = WebhookState(couch_of_mill).cursor()
    own_mill.kill("alerter")
    ids = own_mill.accepted(unique_jpeg(), unique_jpeg(), batch="spring")
    own_mill.all_ended()
    assert WebhookState(couch_of_mill).cursor() == cursor
    own_mill.start("alerter")
    assert told(receiver, 3) == sorted(["batch:spring:complete:2", *(f"image:{one}:stored" for one in ids)])


def test_a_ledger_read_anew_from_the_beginning_tells_nothing_twice(
    own_mill: Mill, channels: Channels, receiver: Receiver, couch_of_mill: Couch, deliveries: DeliveryStore
) -> None:
    channels.write(archive=channel(receiver, "image.stored", "batch.complete"))
    own_mill.start("writer", "api", "worker", "alerter")
    known_to_the_api(own_mill, "archive")
    own_mill.accepted(unique_jpeg(), unique_jpeg(), batch="spring")
    before = told(receiver, 3)
    state = WebhookState(couch_of_mill)
    wait_for(lambda: not deliveries.waiting() and not list(state.all_watches()), "all to be recorded")
    own_mill.kill("alerter")
    state.move_to("0")
    own_mill.start("alerter")
    (added,) = own_mill.accepted(unique_jpeg(), batch="spring")
    assert told(receiver, 5) == sorted([*before, f"image:{added}:stored", "batch:spring:complete:3"])
    assert len(receiver.got) == 5


def test_two_senders_tell_everything_once_and_one_takes_over_from_the_other(
    own_mill: Mill, channels: Channels, receiver: Receiver
) -> None:
    channels.write(archive=channel(receiver, "image.stored", "batch.complete"))
    own_mill.start("writer", "api", "worker", "alerter", "alerter:2")
    known_to_the_api(own_mill, "archive")
    own_mill.accepted(*(unique_jpeg() for _ in range(4)), batch="spring")
    assert "batch:spring:complete:4" in told(receiver, 5)
    own_mill.signal("alerter", signal.SIGSTOP)
    own_mill.accepted(*(unique_jpeg() for _ in range(4)), batch="summer")
    assert "batch:summer:complete:4" in told(receiver, 10)
    own_mill.signal("alerter", signal.SIGCONT)
    own_mill.kill("alerter:2")
    own_mill.accepted(unique_jpeg(), batch="autumn")
    ids = told(receiver, 12)
    assert len([one for one in ids if one.endswith(":stored")]) == 9
    assert [one for one in ids if one.startswith("batch:")] == [
        "batch:autumn:complete:1", "batch:spring:complete:4", "batch:summer:complete:4",
    ]  # fmt: skip


def test_a_receiver_that_hangs_holds_up_neither_others_nor_pictures(
    own_mill: Mill, channels: Channels, receiver: Receiver, other: Receiver
) -> None:
    channels.write(slow=channel(receiver, "image.stored"), quick=channel(other, "image.stored"))
    own_mill.start("writer", "api", "worker", "alerter")
    known_to_the_api(own_mill, "slow", "quick")
    receiver.hold.clear()
    ids = own_mill.accepted(*(unique_jpeg() for _ in range(8)))
    assert len(told(other, 8)) == 8
    more = own_mill.accepted(*(unique_jpeg() for _ in range(8)))
    assert len(told(other, 16)) == 16
    assert len(receiver.got) <= 4
    receiver.hold.set()
    assert told(receiver, 16) == sorted(f"image:{one}:stored" for one in (*ids, *more))


def test_what_a_receiver_refuses_is_given_up_counted_shown_and_sent_again_when_asked(
    own_mill: Mill, channels: Channels, receiver: Receiver, deliveries: DeliveryStore
) -> None:
    channels.write(archive=channel(receiver, "image.stored"))
    own_mill.start("writer", "api", "worker", "alerter")
    known_to_the_api(own_mill, "archive")
    receiver.answers.append(400)
    (image_id,) = own_mill.accepted(unique_jpeg())
    (gone,) = wait_for(lambda: deliveries.page(9, state="failed").deliveries, "it to be given up")
    assert (gone.receiver, gone.event["id"]) == ("archive", f"image:{image_id}:stored")
    assert gone.reason == "the receiver refuses it (400); trying again would not change that"
    assert 'imagemill_webhook_attempts_total{receiver="archive",result="given_up"} 1.0' in own_mill.metrics("alerter")
    wait_for(
        lambda: 'imagemill_webhook_deliveries{receiver="archive",state="failed"} 1.0' in own_mill.metrics("alerter"),
        "it to be counted",
    )
    answer = own_mill.post(f"/api/v1/deliveries/{gone.id}/retry")
    assert answer.ok, answer.text
    wait_for(lambda: not deliveries.failed() and not deliveries.waiting(), "it to be delivered")
    stored = deliveries.get(gone.id)
    assert stored is not None
    assert [one.status for one in stored.delivery.attempts] == [400, 204]
    assert receiver.event_ids() == [f"image:{image_id}:stored"] * 2


def test_a_receiver_that_may_not_be_reached_is_not(
    own_mill: Mill, channels: Channels, receiver: Receiver, deliveries: DeliveryStore
) -> None:
    channels.write(archive=channel(receiver, "image.stored"))
    own_mill.start("writer", "api", "worker").start("alerter", channel_allow_loopback="false")
    known_to_the_api(own_mill, "archive")
    own_mill.accepted(unique_jpeg())
    (waiting,) = wait_for(
        lambda: [one for one in deliveries.page(9, state="waiting").deliveries if one.attempts], "an attempt"
    )
    assert "not sent, as the settings do not allow the channel's address" in waiting.attempts[0].answer
    assert "s3cr3t" not in str(waiting)
    assert receiver.got == []
