"""Batches: their counts, and all of one as a file."""

from typing import Any

from imagemill.api.web.openapi import examples
from imagemill.api.web.openapi.operations import (
    AFTER,
    DATABASE_AWAY,
    LIMIT,
    answer,
    in_path,
    operation,
    problems,
    query,
)

Json = dict[str, Any]

_BATCH = in_path("batch", {"type": "string"}, "The batch's name.")
_EXAMPLE = {"id": "holiday"} | examples.TOTALS | examples.BATCH_TIMES
_FILE_PROBLEMS = {404: ("unknown-batch",), 503: ("unavailable", "too-many-archives")}
_MANIFEST = """A row for each picture and recipe, newest first: `id`, `name`, `recipe`, `status`, `duplicate`,
`warnings`, `code`, `reason`, `source`, `retry_of`, when it was accepted, ended and erased, and of original and result
`sha256`, `bytes`, `width`, `height` and `content_type`. In CSV what a spreadsheet would take for a formula has a `'`
before it."""


def _file(description: str, *content_types: str, binary: bool = False) -> Json:
    schema = {"type": "string"} | ({"format": "binary"} if binary else {})
    return {"200": {"description": description, "content": {name: {"schema": schema} for name in content_types}}}


BATCHES: Json = {
    "/api/v1/batches": {
        "get": operation(
            "Counts", "listBatches", "Batches with their counts: newest first, with `prefix` the last name first",
            [
                answer(200, "Batches", "A page.", {"batches": [_EXAMPLE], "next": None}),
                problems({400: ("bad-limit", "bad-batch"), **DATABASE_AWAY}),
            ],
            description="Of an hour in which more than 100 batches were active the order is that of their names.",
            parameters=[
                query("prefix", {"type": "string"}, "Only batches whose names begin so."), AFTER, LIMIT,
            ],
        )
    },
    "/api/v1/batches/{batch}": {
        "get": operation(
            "Counts", "getBatch", "A batch's exact counts, its times and recipes",
            [
                answer(200, "Batch", "The counts now.", _EXAMPLE),
                problems({404: ("unknown-batch",), **DATABASE_AWAY}),
            ],
            parameters=[_BATCH],
        )
    },
    "/api/v1/batches/{batch}/results.zip": {
        "get": operation(
            "Counts", "getResultsZip", "The results of a batch in a ZIP",
            [_file("Made while it is read.", "application/zip", binary=True), problems(_FILE_PROBLEMS)],
            description="`kite-gray.png`, `kite-webp.webp`, …, and `manifest.csv` about all of the batch's pictures.",
            parameters=[_BATCH],
        )
    },
    "/api/v1/batches/{batch}/manifest": {
        "get": operation(
            "Counts", "getManifest", "What became of each picture of a batch",
            [
                _file("Made while it is read.", "text/csv", "application/jsonl"),
                problems({400: ("bad-format",), **_FILE_PROBLEMS}),
            ],
            description=_MANIFEST,
            parameters=[
                _BATCH,
                query(
                    "format", {"type": "string", "enum": ["csv", "json"], "default": "csv"},
                    "`json`: an object on each line.",
                ),
            ],
        )
    },
    "/api/v1/batches/{batch}/manifest.csv": {
        "get": operation(
            "Counts", "getManifestOfZip", "The manifest that is in the ZIP, with the names of its files",
            [_file("A row for each picture and recipe, newest first.", "text/csv"), problems(_FILE_PROBLEMS)],
            parameters=[_BATCH],
        )
    },
}  # fmt: skip
