"""A batch as one file: its results in a ZIP with a manifest, or a manifest alone. All are made as they are read."""

import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from flask import Blueprint, Response, request

from imagemill.api.access.permissions import needs
from imagemill.api.images.manifest import FORMATS, cells_of, csv_line
from imagemill.api.services import Services
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.errors import Busy
from imagemill.domain.ids import is_batch_name
from imagemill.domain.images import Image
from imagemill.domain.names import ENDINGS, display_name, folder_and_base, portable, result_stem

blueprint = Blueprint("archive", __name__)

Body = Callable[[Services, Iterable[list[Image]]], Iterator[bytes]]
_PAGE = 200
_FRESH_SECONDS = 2.0
# Each keeps a thread of the API for as long as its reader takes.
_MOST_AT_ONCE = 4
_PLACES = threading.BoundedSemaphore(_MOST_AT_ONCE)
_COLUMNS = (
    "name", "recipe", "status", "warnings", "code", "reason", "id", "accepted_at", "original_sha256", "original_bytes",
    "result_sha256", "result_bytes", "erased_at",
)  # fmt: skip
_TITLES = csv_line(("file", *_COLUMNS))


@blueprint.get("/api/v1/batches/<batch>/results.zip")
@needs(Permission.VIEW)
def results_zip(batch: str) -> Response:
    """The results of a batch, and `manifest.csv` about all of its pictures."""
    return _streamed(batch, zipped, "application/zip", "zip")


@blueprint.get("/api/v1/batches/<batch>/manifest")
@needs(Permission.VIEW)
def batch_manifest(batch: str) -> Response:
    """A row for each picture of a batch, in the form of `format=`: what became of it, hashes, sizes, times."""
    wanted = request.args.get("format", "csv")
    if (form := FORMATS.get(wanted)) is None:
        detail = (
            f"There is no manifest as {wanted!r}; use {' or '.join(FORMATS)}, which other programs read and convert."
        )
        raise Problem(400, "bad-format", detail)
    return _streamed(batch, lambda _mill, pages: form.write(pages), form.content_type, form.ending)


@blueprint.get("/api/v1/batches/<batch>/manifest.csv")
@needs(Permission.VIEW)
def manifest_csv(batch: str) -> Response:
    """A row for each picture of a batch: what became of it, its hashes, and its file in the ZIP."""
    return _streamed(batch, manifest, "text/csv; charset=utf-8", "csv")


def zip_of(mill: Services, ids: Sequence[str]) -> Response:
    """The results of pictures, and `manifest.csv` about them; raises Problem."""
    if not (images := mill.stores.ledger.images(ids)):
        raise Problem(404, "unknown-image", "None of these pictures was ever accepted.")
    return _stream(zipped(mill, [images]), "application/zip", "pictures.zip")


def _streamed(batch: str, body: Body, content_type: str, ending: str) -> Response:
    mill = services()
    if not is_batch_name(batch) or not mill.stores.ledger.counts(batch).offered:
        raise Problem(404, "unknown-batch", f"Nothing was ever offered under the batch {batch!r}.")
    return _stream(body(mill, _pages(mill, batch)), content_type, f"{batch}.{ending}")


def _stream(body: Iterator[bytes], content_type: str, name: str) -> Response:
    if not _PLACES.acquire(blocking=False):
        raise Busy("too-many-archives", f"{_MOST_AT_ONCE} batches are being fetched already; try again in a moment.")
    response = Response(body, content_type=content_type)
    response.call_on_close(_PLACES.release)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def manifest(_mill: Services, pages: Iterable[list[Image]]) -> Iterator[bytes]:
    """The manifest of a ZIP, piece by piece."""
    names = FileNames()
    yield _TITLES
    for images in pages:
        yield b"".join(_line(image, names.of(image)) for image in images)


def zipped(mill: Services, pages: Iterable[list[Image]]) -> Iterator[bytes]:
    """The ZIP, piece by piece: one picture is in memory at a time. Results whose bytes are gone are left out."""
    sink, names, rows = Sink(), FileNames(), [_TITLES]
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for image in _one_by_one(mill, pages):
            name = names.of(image)
            rows.append(_line(image, name))
            if name and image.outcome and image.outcome.result:
                try:
                    data = mill.stores.blobs.get(image.outcome.result.sha256)
                except LookupError:
                    continue
                archive.writestr(zipfile.ZipInfo(name, _zip_time(image)), data)
                yield sink.taken()
        archive.writestr("manifest.csv", b"".join(rows))
    yield sink.taken()


class FileNames:
    """Names of results, in their folders, each once: the second `kite-gray.png` has the end of its id in it.

    Every file system can unpack them: they are portable, and none is that of a folder too.
    """

    def __init__(self) -> None:
        self._taken: set[str] = {"manifest.csv"}
        self._folders: set[str] = set()

    def of(self, image: Image) -> str:
        """The name of a picture's result, empty when it has none, or none any more."""
        result = image.outcome.result if image.outcome and not image.erasure else None
        if result is None:
            return ""
        folder, base = folder_and_base(image.job.name)
        folder = self._folder(portable(folder))
        stem, ending = result_stem(base, image.job.recipe), ENDINGS.get(result.content_type, "bin")
        name = folder + portable(display_name(f"{stem}.{ending}"))
        # Not all file systems tell cases apart.
        if name.lower() in self._taken or name.lower() in self._folders:
            name = folder + portable(display_name(f"{stem}-{image.job.id[-12:]}.{ending}"))
        self._taken.add(name.lower())
        return name

    def _folder(self, wanted: str) -> str:
        """The folder; where a file has the name of one on the way to it, that one has `_` at its end."""
        folder = ""
        for part in wanted.split("/")[:-1]:
            while (folder + part).lower() in self._taken:
                part += "_"
            self._folders.add((folder + part).lower())
            folder += f"{part}/"
        return folder


class Sink(io.RawIOBase):
    """Where a ZIP is written that is read at the same time; it cannot go back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """It is all that it is."""
        return True

    def write(self, data) -> int:  # type: ignore[no-untyped-def]
        """Keep the bytes until they are taken."""
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _pages(mill: Services, batch: str) -> Iterator[list[Image]]:
    after: str | None = None
    while ids := mill.stores.ledger.listed_ids(batch, "accepted", _PAGE, after):
        yield mill.stores.ledger.images(ids)
        after = ids[-1]


def _one_by_one(mill: Services, pages: Iterable[list[Image]]) -> Iterator[Image]:
    """Each as it is when it is told: what is erased while a client reads slowly is not sent any more."""
    for images in pages:
        read_at = time.monotonic()
        for place in range(len(images)):
            if time.monotonic() - read_at > _FRESH_SECONDS:
                read_at = time.monotonic()
                images[place:] = mill.stores.ledger.images([image.job.id for image in images[place:]])
            yield images[place]


def _line(image: Image, file: str) -> bytes:
    return csv_line([file, *cells_of(image, _COLUMNS)])


def _zip_time(image: Image) -> tuple[int, int, int, int, int, int]:
    at = datetime.fromisoformat(image.job.accepted_at)
    return at.year, at.month, at.day, at.hour, at.minute, at.second
