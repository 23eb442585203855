"""Batches as lists show them: with when they began and ended, their recipes, and one of their pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    sample: Image | None

    @property
    def is_named(self) -> bool:
        """Has somebody given it a name? An id says nothing to anybody."""
        return not is_uuid(self.name)

    @property
    def title(self) -> str:
        """Its name, or what is in it.

        >>> BatchRow("holiday", Counts(), None, None).title
        'holiday'
        """
        if self.is_named:
            return self.name
        if self.sample is None:
            return plural(self.counts.rejected, "file") + " rejected" if self.counts.rejected else "Upload"
        if self.counts.accepted == 1:
            return self.sample.job.name
        return f"{plural(self.counts.accepted, 'picture')}: {self.sample.job.name}, …"

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
    """Batches with all that a list shows of them, in three questions to the ledger however many they are."""
    times = mill.stores.batch_index.times([name for name, _ in batches])
    samples = _samples(mill, dict(batches))
    return [BatchRow(name, counts, times.get(name), samples.get(name)) for name, counts in batches]


def _samples(mill: Services, batches: Mapping[str, Counts]) -> dict[str, Image]:
    lists = {name: "stored" if one.stored else "accepted" for name, one in batches.items() if one.accepted}
    ids = mill.stores.batch_index.samples(lists)
    images = {image.job.id: image for image in mill.stores.ledger.images(list(ids.values()))}
    return {name: images[image_id] for name, image_id in ids.items() if image_id in images}


def told(mill: Services, batches: Sequence[tuple[str, Counts]]) -> list[dict[str, Any]]:
    """Batches as the API tells them."""
    times = mill.stores.batch_index.times([name for name, _ in batches])
    rows = [BatchRow(name, counts, times.get(name), None) for name, counts in batches]
    return [
        shape(row.name, row.counts)
        | {"began_at": row.began_at, "ended_at": row.ended_at, "recipes": dict(row.recipes)}
        for row in rows
    ]  # fmt: skip
