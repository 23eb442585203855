"""Which events there are of outcomes, whom they are told, and what becomes of each delivery: decisions alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.alerting.batch_watch import BatchWatch, next_step
from imagemill.alerting.outbox import (
    LONGEST_REST_SECONDS,
    PATIENCE_SECONDS,
    ReceiverHealth,
    attempted,
    expired,
    sent_again,
)
from imagemill.alerting.outcomes import batch_event, image_event, receivers_of
from imagemill.alerting.retries import MOST_RETRY_AFTER_SECONDS, PAUSES_SECONDS
from imagemill.alerting.webhook import build_event_request
from imagemill.domain.deliveries import DeliveryAttempt, EventDelivery, delivery_id, month_of_delivery
from imagemill.domain.images import Counts, Image, ImageInfo, Job, Outcome, TraceStep

AT = "2026-11-21T09:15:02.213Z"
INFO = ImageInfo(sha256="a" * 64, bytes=9, width=2, height=1, content_type="image/png")
JOB = Job(
    id="019aa5b6-7e95-7000-8000-000000000000", batch="spring", name="kite.jpg", recipe="gray", recipe_steps="[]",
    recipe_digest="b" * 64, original=INFO, accepted_at=AT, by="api",
)  # fmt: skip
STORED = Outcome(
    id=JOB.id, batch="spring", recipe="gray", status="stored", result=INFO,
    trace=[TraceStep(step="stored", at="2026-11-21T09:15:03.000Z", by="writer")],
)  # fmt: skip
FAILED = STORED.model_copy(update={"status": "failed", "result": None, "code": "crashed", "reason": "It crashed."})
NEW = EventDelivery(id=delivery_id(AT, "desk", "image:1:stored"), receiver="desk", event={"id": "1"}, due_at=100.0)
NAMES = st.sampled_from(["image.stored", "image.failed", "batch.complete"])


def attempt(at: float, status: int | None = None, after: float | None = None) -> DeliveryAttempt:
    ok = status is not None and status < 300
    return DeliveryAttempt(at=at, ok=ok, status=status, retry_after_seconds=after)


# --- events ---------------------------------------------------------------------------------------


def test_an_event_is_the_same_whoever_makes_it_and_other_for_another_outcome() -> None:
    stored, failed = (image_event(Image(job=JOB, outcome=one), "https://mill/") for one in (STORED, FAILED))
    assert stored == image_event(Image(job=JOB, outcome=STORED), "https://mill")
    assert stored["id"] != failed["id"]
    assert (stored["time"], stored["subject"]) == ("2026-11-21T09:15:03.000Z", f"images/{JOB.id}")
    assert failed["type"] == "dev.imagemill.image.failed"
    assert (failed["data"]["code"], failed["data"]["result_url"]) == ("crashed", None)


def test_a_picture_in_flight_is_no_event() -> None:
    with pytest.raises(ValueError, match="no outcome"):
        image_event(Image(job=JOB, outcome=None), "https://mill")


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_completion_is_known_by_how_many_were_accepted(one: int, other: int) -> None:
    ids = {batch_event("spring", Counts(accepted=n, stored=n), AT, "https://mill")["id"] for n in (one, other)}
    assert len(ids) == len({one, other})


@given(NAMES, st.dictionaries(st.sampled_from("abc"), st.lists(NAMES)), st.sampled_from([None, "a", "z"]))
def test_each_receiver_is_told_once_by_subscription_or_by_name(
    name: str, standing: dict[str, list[str]], asked: str | None
) -> None:
    told = receivers_of(name, standing, asked)
    assert len(told) == len(set(told))
    assert set(told) == {one for one, names in standing.items() if name in names} | ({asked} - {None})


def test_every_attempt_sends_the_same_bytes() -> None:
    event = image_event(Image(job=JOB, outcome=STORED), "https://mill")
    first, second = (build_event_request("https://x", b"k" * 16, event, at) for at in (1, 2))
    assert first.body == second.body
    assert json.loads(first.body) == event
    assert first.headers["Idempotency-Key"] == event["id"]
    assert first.headers["Imagemill-Signature"] != second.headers["Imagemill-Signature"]


def test_a_delivery_is_in_the_month_of_its_event() -> None:
    assert month_of_delivery(NEW.id) == "2026-11"


# --- deliveries -----------------------------------------------------------------------------------


def test_it_is_tried_again_until_it_is_taken_or_given_up() -> None:
    delivery, at = NEW, 100.0
    for pause in PAUSES_SECONDS:
        delivery = attempted(delivery, attempt(at, 503), 0.0)
        assert (delivery.state, delivery.due_at) == ("waiting", at + pause)
        at = delivery.due_at
    assert attempted(delivery, attempt(at, 204), 0.0).state == "delivered"
    assert attempted(delivery, attempt(at), 0.0).state == "failed"


def test_what_is_refused_is_given_up_and_tried_as_new_when_it_is_sent_again() -> None:
    refused = attempted(NEW, attempt(100, 404), 0.0)
    assert refused.state == "failed"
    again = sent_again(refused, 500.0)
    assert (again.state, again.due_at, len(again.attempts)) == ("waiting", 500.0, 1)
    assert attempted(again, attempt(500, 503), 0.0).state == "waiting"
    assert attempted(again, attempt(500, 200), 0.0).state == "delivered"


@given(st.lists(st.sampled_from([404, 500, 204]), max_size=60))
def test_what_was_tried_before_is_bounded_however_often_it_is_sent_again(answers: list[int]) -> None:
    delivery = NEW
    for number, status in enumerate(answers):
        delivery = attempted(delivery, attempt(float(number), status), 0.5)
        if delivery.state != "waiting":
            delivery = sent_again(delivery, float(number))
    assert len(delivery.attempts) <= 10 + len(PAUSES_SECONDS) + 1


def test_what_waited_for_a_day_is_given_up() -> None:
    assert expired(NEW, NEW.due_at + PATIENCE_SECONDS) is None
    gone = expired(NEW, NEW.due_at + PATIENCE_SECONDS + 1)
    assert gone is not None
    assert (gone.state, gone.reason) == ("failed", "the receiver took nothing for 24 hours")


@given(st.integers(0, 50), st.floats(0, 1), st.sampled_from([None, 10.0, 1e9]))
def test_a_receiver_that_is_away_rests_for_a_bounded_time(failures: int, chance: float, after: float | None) -> None:
    health = ReceiverHealth(failures).after([attempt(0, 503, after), attempt(0)], 1000.0, chance)
    assert health.is_suspected
    longest = max(LONGEST_REST_SECONDS, min(after or 0, MOST_RETRY_AFTER_SECONDS))
    assert 1000.0 < health.rests_until <= 1000.0 + longest


@pytest.mark.parametrize("status", [204, 404])
def test_a_receiver_that_takes_or_refuses_something_is_there(status: int) -> None:
    health = ReceiverHealth(7, 9e9).after([attempt(0), attempt(0, status)], 1000.0, 0.5)
    assert not health.is_suspected


# --- batches --------------------------------------------------------------------------------------

WATCH = BatchWatch("spring", "2026-11", ("desk",), AT, 1000.0)


@pytest.mark.parametrize(
    ("counts", "now", "told", "does", "again_at"),
    [
        (Counts(accepted=2, stored=2), 1005.0, 0, "wait", 1010.0),
        (Counts(accepted=3, stored=2), 1020.0, 0, "wait", 1030.0),
        (Counts(rejected=3), 1020.0, 0, "wait", 1030.0),
        (None, 1020.0, 0, "wait", 1030.0),
        (Counts(accepted=3, stored=2, failed=1), 1010.0, 0, "tell", 1020.0),
        (Counts(accepted=3, stored=3), 1010.0, 2, "tell", 1020.0),
        (Counts(accepted=3, stored=3), 1020.0, 3, "forget", 0.0),
    ],
)
def test_a_batch_is_complete_when_all_has_ended_and_it_is_quiet(
    counts: Counts | None, now: float, told: int, does: str, again_at: float
) -> None:
    watch = BatchWatch(WATCH.batch, WATCH.month, WATCH.receivers, AT, 1000.0, told)
    step = next_step(watch, counts, now, 10.0)
    assert (step.do, step.again_at) == (does, again_at)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 25)), max_size=60))
def test_whatever_comes_a_batch_is_told_complete_for_each_number_once_and_for_the_last_one(
    steps: list[tuple[bool, int]],
) -> None:
    """Pictures come and end in any order; at the end it is quiet."""
    accepted = stored = 0
    now, watch, told = 1000.0, WATCH, list[int]()
    for comes, seconds in [*steps, (False, 0)]:
        now += seconds
        if comes:
            accepted += 1
        elif stored < accepted:
            stored += 1
            watch = watch.merged((), AT, now)
        watch = _looked(watch, accepted, stored, now, told)
    for _ in range(accepted - stored):
        stored, watch = stored + 1, watch.merged((), AT, now)
    for _ in range(3):
        now += 10.0
        watch = _looked(watch, accepted, stored, now, told)
    assert told == sorted(set(told))
    assert told[-1:] == ([accepted] if accepted else [])
    if accepted:
        assert next_step(watch, Counts(accepted=accepted, stored=stored), now, 10.0).do == "forget"


def _looked(watch: BatchWatch, accepted: int, stored: int, now: float, told: list[int]) -> BatchWatch:
    if next_step(watch, Counts(accepted=accepted, stored=stored), now, 10.0).do != "tell":
        return watch
    told.append(accepted)
    return BatchWatch(watch.batch, watch.month, watch.receivers, watch.ended_at, watch.seen_at, accepted)
