"""The message which tells that an event is new, has changed, or has ended. Pictures are in the event's document."""

import json
from dataclasses import dataclass, field
from typing import get_args

from pydantic import ValidationError

from imagemill.domain.events import Change, Event
from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.reading import reads_messages

TYPE = "event"


@dataclass(frozen=True)
class EventNews:
    """A step of an event; `pictures` are names of files. Programs beside the analyzer publish events too."""

    change: Change
    event: Event
    pictures: tuple[str, ...] = field(default=())


def event_message(news: EventNews) -> Outgoing:
    """As it is published: durable, and it must reach the alerter's queue."""
    body = {"change": news.change, "event": news.event.as_json(), "pictures": list(news.pictures)}
    key = topology.event_key(news.event.source, news.event.kind, news.change)
    return Outgoing(
        topology.EVENTS, key, body=json.dumps(body).encode(), type=TYPE, content_type="application/json",
        message_id=f"{news.event.id}:{news.change}",
    )  # fmt: skip


@reads_messages
def news_of(delivery: Delivery) -> EventNews:
    """Reads it; raises ValueError when it is none."""
    content = json.loads(delivery.body)
    event = content.get("event") if isinstance(content, dict) else None
    if not isinstance(event, dict) or content.get("change") not in get_args(Change):
        raise ValueError("an event's message has a change (new, update or end) and an event")
    if event.get("class") is None:
        raise ValueError("the event lacks class")
    return EventNews(content["change"], _event(event), tuple(str(name) for name in content.get("pictures", ())))


def _event(given: dict[str, object]) -> Event:
    try:
        return Event.parse(given)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        lacking = [str(one["loc"][-1]) for one in wrong if one["type"] == "missing"]
        if lacking:
            raise ValueError(f"the event lacks {', '.join(lacking)}") from None
        place = ".".join(map(str, wrong[0]["loc"]))
        raise ValueError(f"the event's {place} is wrong: {wrong[0]['msg']}") from None
