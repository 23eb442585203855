"""Bring blobs from one place to another, while everybody works with both."""

from collections.abc import Callable
from dataclasses import dataclass

from imagemill.store.blobs.moving import MovingBlobs
from imagemill.store.couch import StoreUnavailable

Progress = Callable[[str, int], None]


@dataclass
class Moved:
    """What became of the blobs of the old place; `wrong` are those whose bytes are not what their names say."""

    there: int = 0
    copied: int = 0
    copied_bytes: int = 0
    removed: int = 0
    wrong: int = 0

    @property
    def is_done(self) -> bool:
        """Is everything in the new place?"""
        return not self.wrong


class Move:
    """One pass. It may be broken off and begun again: what is there is not copied once more.

    With `remove` a blob goes from the old place when it was read back from the new one. `found` hears of wrong ones.
    """

    def __init__(self, blobs: MovingBlobs, remove: bool, found: Callable[[str, str], None]) -> None:
        self._new, self._old, self._remove, self._found = blobs.new, blobs.old, remove, found
        self.moved = Moved()

    def run(self, progress: Progress) -> Moved:
        """Copy; raises StoreUnavailable when a place is not reached."""
        for names in self._old.all_names():
            there = self._new.listed(names)
            self.moved.there += len(there)
            for name in names:
                if (name in there or self._copied(name)) and self._remove:
                    self._removed(name)
                progress("blobs", 1)
        return self.moved

    def _copied(self, name: str) -> bool:
        try:
            data = self._read(name)
        except LookupError:
            return False  # removed meanwhile
        if data is None:
            return False
        self._new.put(name, data, self._old.content_type(name), self._old.previews_beside(name))
        self.moved.copied += 1
        self.moved.copied_bytes += len(data)
        return True

    def _read(self, name: str) -> bytes | None:
        try:
            return self._old.get(name)
        except StoreUnavailable as error:
            if self._old.read_unchecked(name) is None:
                raise
            self.moved.wrong += 1
            self._found(name, str(error))
            return None

    def _removed(self, name: str) -> None:
        self._new.get(name)
        self._old.remove(name)
        self.moved.removed += 1
