"""Which pictures of a list are meant, beyond the lists that the ledger has an index of."""

from collections.abc import Mapping
from dataclasses import dataclass

from imagemill.api.web.times import seconds
from imagemill.domain.ids import floor_at
from imagemill.domain.images import Image

FIELDS = ("recipe", "source", "name", "since", "until")
_LARGEST_SECONDS = 2**47 / 1000


@dataclass(frozen=True)
class ImageFilter:
    """`name` is a part of it, in any case; `since` and `until` are ids between which those of the time are."""

    recipe: str | None = None
    source: str | None = None
    name: str | None = None
    since: str | None = None
    until: str | None = None

    @property
    def is_by_time(self) -> bool:
        """Do ids tell already which pictures match?"""
        return not (self.recipe or self.source or self.name)

    def begins(self, after: str | None) -> str | None:
        """Where a page begins that is to begin behind that id."""
        return min(filter(None, (after, self.until)), default=None)

    def is_past(self, image_id: str) -> bool:
        """Are this one and all older ones too old?"""
        return self.since is not None and image_id < self.since

    def matches(self, image: Image) -> bool:
        """Is it one of them, its time left aside?"""
        job = image.job
        return (
            self.recipe in (None, job.recipe)
            and self.source in (None, job.source)
            and (self.name is None or self.name.lower() in job.name.lower())
        )


def filter_of(values: Mapping[str, str]) -> ImageFilter:
    """The filter that a query describes; raises Invalid."""
    given = {name: (values.get(name) or "").strip() or None for name in FIELDS}
    since, until = (_id_at(seconds(name, given[name])) for name in ("since", "until"))
    return ImageFilter(given["recipe"], given["source"], given["name"], since, until)


def _id_at(at: float | None) -> str | None:
    return None if at is None else floor_at(min(max(at, 0.0), _LARGEST_SECONDS))
