"""Frames in a real broker become events in a real database, whatever is killed."""

import re

import cv2
import numpy as np
import pika
import pytest

from imagemill.store.events import EventStore
from mill import Mill, wait_for
from motion.scenes import GROUND_FRAMES, WALK_FRAMES, frames, place
from watching import ended, publish, publishing, queue_is_empty, today

PICTURES = {"before.jpg", "best.jpg", "annotated.jpg", "strip-00.jpg", "strip-05.jpg"}


def all_seen(mill: Mill, amqp_url: str) -> bool:
    return queue_is_empty(amqp_url, "frames.0", "frames.1")


def test_a_motion_is_one_event_with_its_pictures(own_mill: Mill, amqp_url: str, events: EventStore) -> None:
    own_mill.start("analyzer")
    with publishing(amqp_url) as broker:
        publish(broker, "yard", today(WALK_FRAMES))
    (stored,) = ended(events)
    event = stored.event
    assert (event.source, event.kind, event.end_reason) == ("yard", "motion", "quiet")
    assert set(stored.pictures) >= PICTURES
    best = events.picture(event.id, "annotated.jpg")
    assert cv2.imdecode(np.frombuffer(best, np.uint8), cv2.IMREAD_COLOR).shape == (360, 640, 3)


def test_changes_are_published_after_they_are_stored(own_mill: Mill, amqp_url: str, events: EventStore) -> None:
    own_mill.start("analyzer")
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, "events", "front-door.motion.*")
    with publishing(amqp_url) as broker:
        publish(broker, "front.door", today(WALK_FRAMES))
    ended(events)
    keys = []
    for method, _, _ in channel.consume(queue, inactivity_timeout=60):
        assert method is not None, f"no end was published after {keys}"
        keys.append(method.routing_key)
        if keys[-1].endswith(".end"):
            break
    connection.close()
    assert keys[0] == "front-door.motion.new"
    assert keys[-1] == "front-door.motion.end"


@pytest.mark.parametrize("killed_after", [5, 6, 14, 40])
def test_a_kill_in_mid_event_gives_no_second_and_no_false_event(
    own_mill: Mill, amqp_url: str, events: EventStore, killed_after: int
) -> None:
    own_mill.start("analyzer")
    walk = today(WALK_FRAMES)
    with publishing(amqp_url) as broker:
        publish(broker, "yard", walk[:killed_after])
        wait_for(lambda: all_seen(own_mill, amqp_url), "the frames to be taken")
        own_mill.kill("analyzer")
        publish(broker, "yard", walk[killed_after:])
        own_mill.start("analyzer")
    (stored,) = ended(events)
    event = stored.event
    assert event.id == f"yard:{round(walk[4].at * 1000)}"
    assert set(stored.pictures) >= PICTURES


def test_an_event_of_a_source_that_fell_silent_is_ended(own_mill: Mill, amqp_url: str, events: EventStore) -> None:
    own_mill.start("analyzer")
    assert own_mill.stop("analyzer") == 0
    with publishing(amqp_url) as broker:
        publish(broker, "yard", today(WALK_FRAMES[:15], ago=70))
    own_mill.start("analyzer")  # it finds all of them waiting, and none comes so late that it is taken for silence
    (stored,) = ended(events)
    assert stored.event.end_reason == "silence"


def test_what_is_no_frame_or_no_picture_is_counted_and_dropped(
    own_mill: Mill, amqp_url: str, events: EventStore
) -> None:
    own_mill.start("analyzer")
    good, *rest = today(GROUND_FRAMES)
    broken = [type(frame)(frame.at, b"\xff\xd8 no picture", frame.sequence) for frame in rest[:3]]
    old = [type(frame)(12.0, frame.data, frame.sequence) for frame in rest[3:5]]
    with publishing(amqp_url) as broker:
        publish(broker, "yard", [good, *broken, *old, *rest[5:]])
    wait_for(lambda: counted(own_mill, "seen") == 5, "the good frames to be seen")
    assert (counted(own_mill, "unreadable"), counted(own_mill, "no-frame")) == (3, 2)
    assert counted(own_mill, "missed") == 5
    assert events.events(10).found == []


def test_more_sources_than_fit_into_memory_keep_their_state(own_mill: Mill, amqp_url: str, events: EventStore) -> None:
    own_mill.start("analyzer", analyzer_max_sources=2)
    walk = today(WALK_FRAMES)
    with publishing(amqp_url) as broker:
        for index in range(0, len(walk), 6):
            for source in ("a", "b", "c", "d", "e"):
                publish(broker, source, walk[index : index + 6])
    assert sorted(stored.event.source for stored in ended(events, 5)) == ["a", "b", "c", "d", "e"]
    assert counted(own_mill, None, "imagemill_frame_sources") <= 2


def test_a_second_analyzer_takes_over(own_mill: Mill, amqp_url: str, events: EventStore) -> None:
    own_mill.start("analyzer", "analyzer:2")
    walk = today(WALK_FRAMES)
    with publishing(amqp_url) as broker:
        publish(broker, "yard", walk[:12])
        wait_for(lambda: events.events(1).found, "the event to begin")
        own_mill.kill("analyzer")
        publish(broker, "yard", walk[12:])
    (stored,) = ended(events)
    event = stored.event
    assert event.id == f"yard:{round(walk[4].at * 1000)}"


def test_an_orderly_stop_keeps_what_was_seen(own_mill: Mill, amqp_url: str, events: EventStore) -> None:
    own_mill.start("analyzer")
    walk = today(WALK_FRAMES)
    with publishing(amqp_url) as broker:
        publish(broker, "yard", walk[:12])
        wait_for(lambda: events.events(1).found, "the event to begin")
        assert own_mill.stop("analyzer") == 0
        publish(broker, "yard", walk[12:])
        own_mill.start("analyzer")
    (stored,) = ended(events)
    event = stored.event
    assert (event.id, event.end_reason) == (f"yard:{round(walk[4].at * 1000)}", "quiet")


def counted(mill: Mill, result: str | None, name: str = "imagemill_frames_total") -> float:
    labels = rf'\{{result="{result}"\}}' if result else ""
    found = re.search(rf"^{name}{labels} (\S+)$", mill.metrics("analyzer"), re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_noise_is_no_event(own_mill: Mill, amqp_url: str, events: EventStore) -> None:
    own_mill.start("analyzer")
    with publishing(amqp_url) as broker:
        publish(broker, "yard", today(frames(lambda second: place(), 40, noise=6.0)))
    wait_for(lambda: counted(own_mill, "seen") == 40, "the frames to be seen")
    assert events.events(10).found == []
