"""Identifiers which sort by the time of their making: UUID version 7 (RFC 9562)."""

import re
import secrets
import threading
import time
import uuid
from datetime import UTC, datetime

_RANDOM_BITS = 62
_SEQUENCE_LIMIT = 1 << 12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class _Clock:
    """Milliseconds and a sequence number within them, which together only ever rise (RFC 9562, 6.2, method 1)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def tick(self) -> tuple[int, int]:
        with self._lock:
            milliseconds, sequence = self._last
            self._last = max((int(time.time() * 1000), 0), (milliseconds, sequence + 1))
            if self._last[1] == _SEQUENCE_LIMIT:
                self._last = (milliseconds + 1, 0)
            return self._last


_CLOCK = _Clock()


def uuid7() -> str:
    """A new id; the ids of one process sort, as text, in the order of their making."""
    return _assemble(*_CLOCK.tick(), secrets.randbits(_RANDOM_BITS))


def with_time_of(identifier: str, digest: str) -> str:
    """An id with the time of another one and, for the rest, bits of a hexadecimal digest."""
    bits = int(digest[:32], 16)
    return _assemble(
        uuid.UUID(identifier).int >> 80, bits >> _RANDOM_BITS & (_SEQUENCE_LIMIT - 1), bits % 2**_RANDOM_BITS
    )


def floor_at(at_seconds: float) -> str:
    """The smallest id which can have been made at `at_seconds` (Unix time): the start of a range of ids."""
    return _assemble(round(at_seconds * 1000), 0, 0)


def made_at(identifier: str) -> float:
    """Unix time, in seconds, at which a version 7 id was made."""
    return (uuid.UUID(identifier).int >> 80) / 1000


def is_uuid(text: str) -> bool:
    """Is it an id in its canonical form?"""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def is_batch_name(text: str) -> bool:
    """May it name a batch: letters, digits, `.`, `_` and `-`, at most 100?"""
    return _NAME.fullmatch(text) is not None


def is_source_name(text: str) -> bool:
    """May it name a source? It becomes part of addresses, of events' ids and of lines that people read."""
    return _NAME.fullmatch(text) is not None


def timestamp(at_seconds: float | None = None) -> str:
    """RFC 3339 in UTC with milliseconds, as every record carries it."""
    moment = datetime.now(UTC) if at_seconds is None else datetime.fromtimestamp(at_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Unix time of a record's time stamp; raises ValueError."""
    return datetime.fromisoformat(text).timestamp()


def _assemble(milliseconds: int, sequence: int, random: int) -> str:
    value = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | sequence << 64 | 2 << 62 | random
    return str(uuid.UUID(int=value))
