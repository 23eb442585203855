"""The picture that goes with a message: what was noticed drawn in, within a bound of bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from imagemill.store.couch import StoreUnavailable
from imagemill.store.events import EventStore

log = structlog.get_logger(__name__)
# Below what mail servers and chats take, also when it travels as base64.
MOST_BYTES = 3_000_000
# A service may refuse what it cannot show: the message itself must arrive all the same.
MOST_ATTEMPTS_WITH = 2
_BEST = ("annotated.jpg", "best.jpg")

SET_SO = "without a picture: the channel is set so"
TAKES_NONE = "without a picture: this kind of channel takes none"
NONE_STORED = "without a picture: none is stored"
FAILED_WITH = f"without a picture: {MOST_ATTEMPTS_WITH} attempts with it failed"


@dataclass(frozen=True)
class AlertImage:
    """A JPEG and the name that it has among the event's pictures."""

    name: str
    data: bytes = field(repr=False)

    @property
    def words(self) -> str:
        """For the record of what was sent."""
        return f"with {self.name} ({max(1, round(len(self.data) / 1000)):,} kB)"


def chosen(sizes: Mapping[str, int]) -> str | None:
    """The best picture within the bound: annotated, else clean, else from the middle of the strip of small ones."""
    fitting = [name for name, size in sizes.items() if size <= MOST_BYTES]
    strip = sorted(name for name in fitting if name.startswith("strip-"))
    large = next((name for name in _BEST if name in fitting), None)
    return large or (strip[len(strip) // 2] if strip else None)


class Pictures:
    """Of the events in the store."""

    def __init__(self, events: EventStore) -> None:
        self._events = events

    def of(self, event_id: str) -> AlertImage | None:
        """None when there is none, or the store does not answer: a message does not wait for its picture."""
        try:
            stored = self._events.get(event_id)
            name = chosen(stored.pictures) if stored else None
            data = self._events.picture(event_id, name) if name else None
        except StoreUnavailable as error:
            log.warning("a message goes without its picture", event=event_id, error=str(error))
            return None
        return AlertImage(name, data) if name and data else None
