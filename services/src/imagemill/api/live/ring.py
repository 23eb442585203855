"""The last events that pages may be told, by number: bounded, and shared by all listeners."""

import json
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MAX_EVENTS = 5000
_MAX_BYTES = 8 * 1024 * 1024
PING = b": ping\n\n"


@dataclass(frozen=True, slots=True)
class _Entry:
    number: int
    batch: str | None
    data: bytes


class Ring:
    """A listener has a place in it, and copies nothing; of one that is too slow, or comes back too late, it is gone."""

    def __init__(self, max_events: int = _MAX_EVENTS, max_bytes: int = _MAX_BYTES) -> None:
        # Numbers of another process, or of this one before a restart, mean nothing here.
        self._name = secrets.token_hex(4)
        self._max_events, self._max_bytes = max_events, max_bytes
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self.head = 0
        """The number of the last event."""

    def add(self, kind: str, data: Mapping[str, Any]) -> None:
        """Tell every listener, or those of the batch that `data` names."""
        with self._changed:
            self.head += 1
            entry = _Entry(self.head, data.get("batch"), sse(kind, data, self._id(self.head)))
            self._entries.append(entry)
            self._bytes += len(entry.data)
            while len(self._entries) > self._max_events or self._bytes > self._max_bytes:
                self._bytes -= len(self._entries.popleft().data)
            self._changed.notify_all()

    def after(self, place: int, batch: str | None, max_bytes: int) -> tuple[bytes, int]:
        """What comes after a place, about that many bytes of it, and the next place; `lost` when the place is gone."""
        with self._changed:
            if place == self.head:
                return b"", place
            first = self._entries[0].number if self._entries else self.head + 1
            if place < first - 1:
                return self.lost(), self.head
            return self._collected(place - first + 1, batch, max_bytes)

    def _collected(self, index: int, batch: str | None, max_bytes: int) -> tuple[bytes, int]:
        found, size = list[bytes](), 0
        while index < len(self._entries) and size < max_bytes:
            entry = self._entries[index]
            if batch is None or entry.batch is None or entry.batch == batch:
                found.append(entry.data)
                size += len(entry.data)
            index += 1
        return b"".join(found), self._entries[index - 1].number

    def place_of(self, last_event_id: str | None) -> int | None:
        """Where to go on after that event: here and now without one, None when it is none of this ring."""
        if not last_event_id:
            return self.head
        name, _, number = last_event_id.partition("-")
        if name != self._name or not (number.isascii() and number.isdecimal() and int(number[:18]) <= self.head):
            return None
        return int(number[:18])

    def lost(self) -> bytes:
        """What is told to those whose place is gone."""
        detail = "events were missed; read the current state again"
        return sse("lost", {"detail": detail}, self._id(self.head))

    def wait_after(self, place: int, seconds: float) -> bool:
        """Wait for an event after that place; False when none came."""
        with self._changed:
            return self._changed.wait_for(lambda: self.head > place, seconds)

    def _id(self, number: int) -> str:
        return f"{self._name}-{number}"


def sse(kind: str, data: Mapping[str, Any], event_id: str | None = None) -> bytes:
    """One server-sent event."""
    named = f"id: {event_id}\n" if event_id else ""
    return f"{named}event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
