"""The message which tells that an event is new, has changed, or has ended. Pictures are in the event's document."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.reading import reads_messages

TYPE = "event"
CHANGES = ("new", "update", "end")
# What every event tells; programs beside the analyzer (a camera that went offline) publish events too.
REQUIRED = ("id", "source", "kind", "class", "started_at")


@dataclass(frozen=True)
class EventNews:
    """A step of an event: `event` in its JSON form (see motion.Event.as_dict), `pictures` are names of files."""

    change: str
    event: Mapping[str, Any]
    pictures: tuple[str, ...] = field(default=())


def event_message(news: EventNews) -> Outgoing:
    """As it is published: durable, and it must reach the alerter's queue."""
    body = {"change": news.change, "event": dict(news.event), "pictures": list(news.pictures)}
    key = topology.event_key(str(news.event["source"]), str(news.event["kind"]), news.change)
    return Outgoing(
        topology.EVENTS, key, body=json.dumps(body).encode(), type=TYPE, content_type="application/json",
        message_id=f"{news.event['id']}:{news.change}",
    )  # fmt: skip


@reads_messages
def news_of(delivery: Delivery) -> EventNews:
    """Reads it; raises ValueError when it is none."""
    content = json.loads(delivery.body)
    event = content.get("event") if isinstance(content, dict) else None
    if not isinstance(event, dict) or content.get("change") not in CHANGES:
        raise ValueError("an event's message has a change (new, update or end) and an event")
    missing = [name for name in REQUIRED if name not in event]
    if missing:
        raise ValueError(f"the event lacks {', '.join(missing)}")
    return EventNews(str(content["change"]), event, tuple(str(name) for name in content.get("pictures", ())))
