"""Blobs as files of one machine."""

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from imagemill.domain.previews import NONE, Previews, is_preview, name_of, shown_by
from imagemill.store.blobs.base import MARKER, Blobs
from imagemill.store.couch import StoreUnavailable

_COMING = "coming"
_PREFIXES = [f"{number:02x}" for number in range(256)]
# By their first bytes; what a file is need not be stored beside it.
_TYPES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG": "image/png",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
    b"RIFF": "image/webp",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}


class FolderBlobs(Blobs):
    """`ab/ab12…` in a folder. A file is whole, and on the disk, before it has its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folders, and the mark that they are there."""
        with self._asked():
            for name in (_COMING, *_PREFIXES):
                (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._folder / MARKER).touch(0o600)
            _sync(self._folder)

    def put(self, name: str, data: bytes, content_type: str, previews: Previews = NONE) -> bool:  # noqa: ARG002 - files tell it
        """Store, and previews as files beside it; tells whether it is new."""
        with self._asked():
            path = self._path(name)
            is_new = not path.exists() and self._bring(data, lambda coming: _link(coming, path))
            # Whoever else stored it may not have come as far as this.
            _sync(path.parent)
        self.put_beside(previews if is_new else NONE)
        return is_new

    def read_unchecked(self, name: str) -> bytes | None:
        """The bytes, whatever they are; None when there is no such blob."""
        with self._asked():
            try:
                return self._path(name).read_bytes()
            except FileNotFoundError:
                (self._folder / MARKER).stat()
                return None

    def content_type(self, name: str) -> str:
        """What a blob is, by its first bytes; raises LookupError."""
        data = self.read_unchecked(name)
        if data is None:
            raise LookupError(f"no blob {name}")
        return next((kind for start, kind in _TYPES.items() if data.startswith(start)), "application/octet-stream")

    def replace(self, name: str, data: bytes, content_type: str) -> None:  # noqa: ARG002
        """Store the bytes in place of whatever is there."""
        with self._asked():
            path = self._path(name)
            self._bring(data, lambda coming: bool(coming.replace(path)))
            _sync(path.parent)

    def put_everywhere(self, name: str, data: bytes, content_type: str) -> None:
        """Nothing: it has no nodes which know different things."""

    def remove(self, name: str) -> None:
        """Remove a blob and its preview; nothing happens when there is none."""
        with self._asked():
            self._path(name_of(name)).unlink(missing_ok=True)
            self._path(name).unlink(missing_ok=True)

    def listed(self, names: Iterable[str]) -> set[str]:
        """Those of the names which are there."""
        with self._asked():
            (self._folder / MARKER).stat()
            return {name for name in names if self._path(name).exists()}

    def count(self) -> int:
        """How many there are."""
        return sum(len(names) for names in self.all_names())

    def all_names(self) -> Iterator[list[str]]:
        """All names, a folder at a time."""
        for prefix in _PREFIXES:
            with self._asked():
                names = sorted(entry.name for entry in os.scandir(self._folder / prefix) if not is_preview(entry.name))
            if names:
                yield names

    def _path(self, name: str) -> Path:
        return self._folder / shown_by(name)[:2] / name

    def _bring(self, data: bytes, name_it: Callable[[Path], bool]) -> bool:
        coming = self._folder / _COMING / uuid.uuid4().hex
        try:
            with os.fdopen(os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            return name_it(coming)
        finally:
            coming.unlink(missing_ok=True)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            hint = " Is its volume mounted?" if isinstance(error, FileNotFoundError) else ""
            raise StoreUnavailable(f"the blobs' folder {self._folder}: {error.strerror or error}.{hint}") from None


def _link(coming: Path, path: Path) -> bool:
    try:
        path.hardlink_to(coming)
    except FileExistsError:
        return False
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
