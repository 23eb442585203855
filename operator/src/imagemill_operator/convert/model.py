"""What a conversion consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):  # noqa: N818 a manifest is refused, nothing went wrong
    """A manifest has no equivalent. The message is a sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about one manifest. ``is_lost`` when something of it could not be converted."""

    source: str
    text: str
    is_lost: bool = False


@dataclass(slots=True)
class Notes:
    """Collects the notes about one manifest, each sentence once."""

    source: str
    notes: list[Note] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Note what changes its meaning, or what is to be done."""
        self._add(Note(self.source, text))

    def lost(self, text: str) -> None:
        """Note what could not be converted."""
        self._add(Note(self.source, text, is_lost=True))

    def _add(self, note: Note) -> None:
        if note not in self.notes:
            self.notes.append(note)


@dataclass(frozen=True, slots=True)
class Hints:
    """What the manifests do not say and a person adds.

    ``max_wait_seconds`` becomes the objective of every pool. ``vhost`` is that of queues whose manifest names none.
    """

    max_wait_seconds: float | None = None
    vhost: str | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """One manifest of KEDA: the WorkerPool it became, None when it became none, and the notes about it.

    ``brokers`` say, for each trigger, where KEDA had the parts of the broker's address from.
    """

    source: str
    pool: Mapping[str, Any] | None
    notes: tuple[Note, ...]
    brokers: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """All that became of the documents. ``remarks`` are about the documents as a whole."""

    items: tuple[Converted, ...]
    remarks: tuple[Note, ...] = ()

    @property
    def pools(self) -> tuple[Mapping[str, Any], ...]:
        """The WorkerPools, in the order of their sources."""
        return tuple(item.pool for item in self.items if item.pool is not None)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes: about each manifest, then about the whole."""
        return (*(note for item in self.items for note in item.notes), *self.remarks)

    @property
    def is_complete(self) -> bool:
        """Whether everything could be converted."""
        return not any(note.is_lost for note in self.notes)
