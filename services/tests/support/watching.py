"""Frames for a running Imagemill, and what became of them."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pika

from imagemill.motion import Frame
from imagemill.store.couch import Couch
from imagemill.store.events import EventStore, StoredEvent
from imagemill.wire.broker import Broker, parameters_of
from imagemill.wire.frames import SourceFrame, frame_message
from mill import wait_for
from motion.scenes import START


@contextmanager
def publishing(amqp_url: str) -> Iterator[Broker]:
    """A connection to publish over."""
    broker = Broker(parameters_of(amqp_url, "test")).start()
    wait_for(lambda: broker.ready, "the connection")
    try:
        yield broker
    finally:
        broker.close()


def today(frames: Iterable[Frame], ago: float = 0) -> list[Frame]:
    """The same frames, the first one `ago` seconds before now.

    Those of a minute are published within a second, so most are told of before they happen. Were they old, an analyzer
    that waits a second for the next one would take the source for silent and end its event.
    """
    shift = time.time() - ago - START
    return [replace(frame, at=frame.at + shift) for frame in frames]


def publish(broker: Broker, source: str, frames: Iterable[Frame]) -> None:
    """In order, each confirmed."""
    messages = [frame_message(SourceFrame(source, f.sequence, f.at, f.data, f.generation)) for f in frames]
    assert set(broker.publish_all(messages)) <= {None}


def event_store(couchdb_url: str, prefix: str) -> EventStore:
    return EventStore(Couch(couchdb_url, prefix))


def ended(store: EventStore, count: int = 1) -> list[StoredEvent]:
    """The events, oldest first, once that many have ended."""
    wait_for(lambda: _number_ended(store) >= count, f"{count} events to end")
    return store.events(100).found[::-1]


def _number_ended(store: EventStore) -> int:
    return sum(stored.event.ended_at is not None for stored in store.events(100).found)


def queue_is_empty(amqp_url: str, *queues: str) -> bool:
    """Nothing waits; consumers may hold what they have not acknowledged."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    try:
        channel = connection.channel()
        return all(channel.queue_declare(queue, passive=True).method.message_count == 0 for queue in queues)
    finally:
        connection.close()
