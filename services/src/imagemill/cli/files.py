"""From what was typed to files, and from files to requests."""

import glob
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagemill.cli.client import ApiError
from imagemill.domain.errors import Invalid
from imagemill.domain.names import display_name, path_name

MAX_FILES = 20
MAX_BYTES = 16 * 1024 * 1024
# No server takes as much; it bounds what stands in memory.
LARGEST_FILE_BYTES = 256 * 1024 * 1024
STDIN = "-"
PICTURE_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
)


@dataclass(frozen=True)
class File:
    """A file to send; `path` is None for the standard input. Of one in a folder `relative` begins with that."""

    path: Path | None
    size_bytes: int
    relative: str = ""

    @property
    def name(self) -> str:
        """Its name as the server will show it."""
        return self.kept_path or ("stdin" if self.path is None else display_name(self.path.name))

    @property
    def kept_path(self) -> str:
        """The path that the server shall keep; empty where there is none, or one that it would not take."""
        try:
            return path_name(self.relative) if self.relative else ""
        except Invalid:
            return ""

    @property
    def shown(self) -> str:
        """Its name as the person typed it, more or less."""
        return "standard input" if self.path is None else str(self.path)

    def read(self) -> bytes:
        """Its bytes; raises OSError."""
        if self.path is None:
            return _bounded(sys.stdin.buffer.read(LARGEST_FILE_BYTES + 1))
        with self.path.open("rb") as file:
            return _bounded(file.read(LARGEST_FILE_BYTES + 1))


@dataclass(frozen=True)
class FoundFiles:
    """What was found, and how many files of folders do not look like pictures."""

    files: list[File]
    passed_over: int


def find(arguments: Sequence[str], recursive: bool) -> FoundFiles:
    """Files, folders, globs and `-`, each file once, in the order typed; raises ApiError for what is not there."""
    found: dict[str, File] = {}
    passed_over = 0
    for argument in arguments:
        for path in _paths(argument, recursive):
            if path is None:
                found[STDIN] = File(None, 0)
            elif _in_folder(argument) and path.suffix.lower() not in PICTURE_ENDINGS:
                passed_over += 1
            else:
                found.setdefault(os.path.realpath(path), File(path, path.stat().st_size, _relative(argument, path)))
    return FoundFiles(list(found.values()), passed_over)


def groups(files: Sequence[File], jobs: int, most: int) -> list[Sequence[File]]:
    """The files in as few groups as keep `jobs` threads busy: at most `most` in each, no fewer than a request has."""
    size = max(min(most, math.ceil(len(files) / jobs)), MAX_FILES)
    return [files[at : at + size] for at in range(0, len(files), size)]


def portions(files: Iterable[File], most: int = MAX_FILES, most_bytes: int = MAX_BYTES) -> Iterator[list[File]]:
    """Groups for one request each; a file that is larger than a group has one of its own."""
    portion: list[File] = []
    for file in files:
        if portion and (
            len(portion) >= most or sum(item.size_bytes for item in portion) + file.size_bytes > most_bytes
        ):
            yield portion
            portion = []
        portion.append(file)
    if portion:
        yield portion


def _paths(argument: str, recursive: bool) -> Iterable[Path | None]:
    if argument == STDIN:
        return [None]
    path = Path(argument).expanduser()
    try:
        if path.is_dir():
            return _in(path, recursive)
        if path.exists():
            return [path]
    except OSError as error:
        raise ApiError(f"{argument} cannot be read: {error.strerror}.") from error
    matches = _matches(str(path)) if glob.has_magic(argument) else []
    files = [match for match in matches if match.is_file()]
    if not files:
        what = "No file matches" if glob.has_magic(argument) else "There is no file or folder"
        raise ApiError(f"{what} {argument!r}; nothing was sent.")
    return files


def _matches(pattern: str) -> list[Path]:
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    return [Path(match) for match in sorted(found)]


def _in(folder: Path, recursive: bool) -> Iterator[Path]:
    """Hidden files and folders stay out, and links to folders, which could lead round in circles."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _in_folder(argument: str) -> bool:
    return Path(argument).expanduser().is_dir()


def _relative(argument: str, path: Path) -> str:
    """The way from the folder that was typed, its own name included; empty for what was not found in a folder."""
    if not _in_folder(argument):
        return ""
    folder = Path(argument).expanduser()
    return f"{folder.resolve().name}/{path.relative_to(folder).as_posix()}"


def _bounded(data: bytes) -> bytes:
    if len(data) > LARGEST_FILE_BYTES:
        raise OSError(f"larger than {LARGEST_FILE_BYTES // 1024 // 1024} MiB")
    return data
