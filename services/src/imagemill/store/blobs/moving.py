"""Blobs on their way from one place to another, while everybody works with them."""

from collections.abc import Iterable, Iterator

from imagemill.domain.previews import NONE, Previews
from imagemill.store.blobs.base import Blobs


class MovingBlobs(Blobs):
    """What is new goes to `new`; what is not there yet is read from `old`."""

    def __init__(self, new: Blobs, old: Blobs) -> None:
        self.new, self.old = new, old

    def prepare(self) -> None:
        """Make both places exist."""
        self.new.prepare()
        self.old.prepare()

    def put(self, name: str, data: bytes, content_type: str, previews: Previews = NONE) -> bool:
        """Store; tells whether it is new to the new place."""
        return self.new.put(name, data, content_type, previews)

    def preview(self, result: str, of: str) -> bytes | None:
        """The preview of a result or of its original, from either place."""
        found = self.new.preview(result, of)
        return found if found is not None else self.old.preview(result, of)

    def forget_preview(self, result: str, of: str) -> None:
        """Remove the preview of an original that is stored with a result, in both places."""
        self.old.forget_preview(result, of)
        self.new.forget_preview(result, of)

    def put_everywhere(self, name: str, data: bytes, content_type: str) -> None:
        """Store it where what is new is stored."""
        self.new.put(name, data, content_type)

    def read_unchecked(self, name: str) -> bytes | None:
        """The bytes, whatever they are; None when there is no such blob."""
        data = self.new.read_unchecked(name)
        return data if data is not None else self._left_behind(name)

    def _left_behind(self, name: str) -> bytes | None:
        data = self.old.read_unchecked(name)
        # Between the two questions it may have been moved, and removed from where it was.
        return data if data is not None else self.new.read_unchecked(name)

    def content_type(self, name: str) -> str:
        """What a blob is; raises LookupError."""
        try:
            return self.new.content_type(name)
        except LookupError:
            return self.old.content_type(name)

    def replace(self, name: str, data: bytes, content_type: str) -> None:
        """Store the bytes in place of whatever is there."""
        self.new.replace(name, data, content_type)

    def remove(self, name: str) -> None:
        """Remove a blob from both places."""
        self.old.remove(name)
        self.new.remove(name)

    def listed(self, names: Iterable[str]) -> set[str]:
        """Those of the names which either place knows."""
        wanted = set(names)
        there = self.new.listed(wanted)
        return there | self.old.listed(wanted - there)

    def missing(self, names: Iterable[str]) -> set[str]:
        """Those of the names under which there is no blob in either place."""
        # Asked again: it may have been moved between the two questions.
        return self.new.missing(self.old.missing(self.new.missing(names)))

    def count(self) -> int:
        """How many there are; what is in both places counts twice."""
        return self.new.count() + self.old.count()

    def all_names(self) -> Iterator[list[str]]:
        """All names, page by page, each once."""
        yield from self.new.all_names()
        for names in self.old.all_names():
            there = self.new.listed(names)
            yield [name for name in names if name not in there]
