"""What became of each picture of a list, as CSV or JSON lines. Pure; written row by row, however many there are."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from imagemill.domain.images import Image, ImageInfo

_COLUMNS = (
    "id", "name", "recipe", "status", "duplicate", "warnings", "code", "reason", "source", "retry_of", "accepted_at",
    "ended_at", "erased_at", "original_sha256", "original_bytes", "original_width", "original_height",
    "original_content_type", "result_sha256", "result_bytes", "result_width", "result_height", "result_content_type",
)  # fmt: skip
_OF_INFO = ("sha256", "bytes", "width", "height", "content_type")
# A spreadsheet takes these at the beginning of a cell for that of a formula.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")

Row = dict[str, Any]
Pages = Iterable[Sequence[Image]]


@dataclass(frozen=True)
class Format:
    """A form of a manifest: what it is called, and who writes it."""

    content_type: str
    ending: str
    write: Callable[[Pages], Iterator[bytes]]


def row_of(image: Image) -> Row:
    """What became of a picture; None where nothing is known, or nothing yet."""
    job, outcome = image.job, image.outcome
    row = {
        "id": job.id,
        "name": job.name,
        "recipe": job.recipe,
        "status": image.status,
        "duplicate": bool(outcome and outcome.duplicate),
        "warnings": outcome.warnings if outcome else [],
        "code": outcome.code if outcome else None,
        "reason": outcome.reason if outcome else None,
        "source": job.source,
        "retry_of": job.retry_of,
        "accepted_at": job.accepted_at,
        "ended_at": outcome.trace[-1].at if outcome and outcome.trace else None,
        "erased_at": image.erasure.at if image.erasure else None,
    }
    return row | _info("original", job.original) | _info("result", outcome.result if outcome else None)


def _info(of: str, info: ImageInfo | None) -> Row:
    return {f"{of}_{name}": getattr(info, name) if info else None for name in _OF_INFO}


def as_csv(pages: Pages) -> Iterator[bytes]:
    """A line of titles, and one for each picture."""
    yield csv_line(_COLUMNS)
    for images in pages:
        yield b"".join(csv_line(cells_of(image, _COLUMNS)) for image in images)


def as_json_lines(pages: Pages) -> Iterator[bytes]:
    """An object on a line for each picture."""
    for images in pages:
        rows = (json.dumps(row_of(image), ensure_ascii=False, separators=(",", ":")) for image in images)
        yield "".join(f"{row}\n" for row in rows).encode()


def cells_of(image: Image, columns: Sequence[str]) -> list[str]:
    """Some members of a picture's row, as cells of CSV."""
    row = row_of(image)
    return [_cell(row[column]) for column in columns]


def csv_line(cells: Sequence[str]) -> bytes:
    """A line of CSV of which no spreadsheet makes a formula: names come from strangers.

    >>> csv_line(["=1+1", "-", "kite.jpg"]).decode()
    "'=1+1,'-,kite.jpg\\r\\n"
    """
    safe = ["'" + cell if cell.startswith(_FORMULA) else cell for cell in cells]
    line = io.StringIO()
    csv.writer(line).writerow(safe)
    return line.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


FORMATS = MappingProxyType({
    "csv": Format("text/csv; charset=utf-8", "csv", as_csv),
    "json": Format("application/jsonl; charset=utf-8", "jsonl", as_json_lines),
})  # fmt: skip
