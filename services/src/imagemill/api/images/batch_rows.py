"""Batches as lists show them: with when they began and ended, their recipes, and one of their pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from imagemill.api.live.event_stream import shape
from imagemill.api.services import Services
from imagemill.api.web.formatting import plural
from imagemill.domain.ids import is_uuid, timestamp
from imagemill.domain.images import Counts, Image
from imagemill.store.batch_times import BatchTimes


@dataclass(frozen=True)
class BatchRow:
    """A batch; `sample` is its oldest picture that is stored, else its oldest."""

    name: str
    counts: Counts
    times: BatchTimes | None
    sample: Image | None = None

    @property
    def is_named(self) -> bool:
        """Has somebody given it a name? An id says nothing to anybody."""
        return not is_uuid(self.name)

    @property
    def title(self) -> str:
        """Its name, or what is in it.

        >>> BatchRow("holiday", Counts(), None).title
        'holiday'
        """
        if self.is_named:
            return self.name
        if self.sample is None:
            return plural(self.counts.rejected, "file") + " rejected" if self.counts.rejected else "Upload"
        if self.counts.accepted == 1:
            return self.sample.job.name
        folder, slash, _ = self.sample.job.name.partition("/")
        what = plural(self.counts.accepted, "picture")
        return f"{what} from {folder}" if slash else f"{what}: {self.sample.job.name}, …"

    @property
    def began_at(self) -> str | None:
        """When its first picture was offered."""
        return timestamp(self.times.began) if self.times else None

    @property
    def ended_at(self) -> str | None:
        """When its last picture ended; None while some are in flight, and where none was accepted."""
        ended = self.times and not self.counts.in_flight and self.times.ended
        return timestamp(ended) if ended else None

    @property
    def took_ms(self) -> float | None:
        """How long that took."""
        if self.times is None or self.ended_at is None or self.times.ended is None:
            return None
        return max(self.times.ended - self.times.began, 0) * 1000

    @property
    def recipes(self) -> Sequence[tuple[str, int]]:
        """Its recipes with how many pictures ask for them, the most asked for first."""
        found = self.times.recipes if self.times else {}
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def rows_of(mill: Services, batches: Sequence[tuple[str, Counts]]) -> list[BatchRow]:
    """Batches with their times."""
    times = mill.stores.batch_index.times([name for name, _ in batches])
    return [BatchRow(name, counts, times.get(name)) for name, counts in batches]


def with_samples(mill: Services, rows: Sequence[BatchRow]) -> list[BatchRow]:
    """The same with one picture of each, in two questions to the ledger however many they are."""
    lists = {row.name: "stored" if row.counts.stored else "accepted" for row in rows if row.counts.accepted}
    ids = mill.stores.batch_index.samples(lists)
    images = {image.job.id: image for image in mill.stores.ledger.images(list(ids.values()))}
    return [replace(row, sample=images.get(ids.get(row.name, ""))) for row in rows]


def told(row: BatchRow) -> dict[str, Any]:
    """A batch as the API tells it."""
    times = {"began_at": row.began_at, "ended_at": row.ended_at, "recipes": dict(row.recipes)}
    return shape(row.name, row.counts) | times
