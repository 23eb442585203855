"""A batch as one file: the ZIP of its results, streamed, and the manifest."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from imagemill.api.images import archive as archive_module
from imagemill.api.images.archive import FileNames, zipped
from imagemill.api.images.manifest import FORMATS
from imagemill.domain.erasures import Erasure
from imagemill.domain.images import Image, ImageInfo, Job, Outcome
from mill import Mill
from pictures import bomb_png_header, photo_jpeg


@pytest.fixture(scope="module")
def batch(mill: Mill) -> str:
    """Two stored pictures of one name, and a failed one."""
    ids = [mill.accepted(photo_jpeg(seed=940 + n), batch="archive")[0] for n in range(2)]
    ids.append(mill.accepted(bomb_png_header(444, 300), batch="archive")[0])
    for image_id in ids:
        mill.ended(image_id)
    return "archive"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_the_zip_has_every_result_once_and_a_row_for_every_picture(mill: Mill, batch: str) -> None:
    answer = mill.get(f"/api/v1/batches/{batch}/results.zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="archive.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        rows = rows_of(archive.read("manifest.csv").decode())
        pictures = {name: archive.read(name) for name in names if name != "manifest.csv"}
    assert len(pictures) == 2
    assert "picture-0-gray.png" in pictures
    assert [row["status"] for row in rows] == ["failed", "stored", "stored"]
    assert {row["file"] for row in rows} == {"", *pictures}
    for row in rows[1:]:
        assert pictures[row["file"]] == mill.get(f"/api/v1/images/{row['id']}/result").content


def test_a_manifest_tells_all_of_every_picture_in_each_form(mill: Mill, batch: str) -> None:
    answer = mill.get(f"/api/v1/batches/{batch}/manifest?format=json")
    assert answer.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="archive.jsonl"'
    rows = [json.loads(line) for line in answer.text.splitlines()]
    for row in rows:
        told = mill.get(f"/api/v1/images/{row['id']}").json()
        for name in ("name", "recipe", "status", "duplicate", "warnings", "code", "reason", "source", "accepted_at"):
            assert row[name] == told[name]
        assert row["ended_at"] == told["trace"][-1]["at"]
        for of in ("original", "result"):
            assert {name: row[f"{of}_{name}"] for name in told["original"]} == (
                told[of] or dict.fromkeys(told["original"])
            )
    table = mill.get(f"/api/v1/batches/{batch}/manifest")
    assert table.headers["Content-Disposition"] == 'attachment; filename="archive.csv"'
    cells = rows_of(table.text)
    assert [list(row) for row in cells] == [list(row) for row in rows]
    assert [row["original_bytes"] for row in cells] == [str(row["original_bytes"]) for row in rows]
    assert cells[0]["result_sha256"] == ""


def test_a_manifest_in_no_form_that_there_is_says_what_to_use(mill: Mill, batch: str) -> None:
    answer = mill.get(f"/api/v1/batches/{batch}/manifest?format=parquet")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-format")
    assert "csv or json" in answer.json()["detail"]


def test_a_manifest_is_written_page_by_page() -> None:
    info = ImageInfo(sha256="0" * 64, bytes=1, width=1, height=1, content_type="image/png")
    read = []

    def pages() -> Iterator[list[Image]]:
        for number in range(3):
            read.append(number)
            yield [Image(job=Job(
                id=f"{number:036}", batch="b", name="n.png", recipe="gray", recipe_steps="[]", recipe_digest="d",
                original=info, accepted_at="2026-11-21T09:15:03.000Z", by="api",
            ), outcome=None)]  # fmt: skip

    for form, begun in (("csv", []), ("json", [0])):
        read.clear()
        written = FORMATS[form].write(pages())
        next(written)
        assert read == begun
        assert len(list(written)) == 3 - len(begun)


def test_the_manifest_alone_has_the_same_rows(mill: Mill, batch: str) -> None:
    answer = mill.get(f"/api/v1/batches/{batch}/manifest.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [row["code"] for row in rows_of(answer.text)] == ["undecodable", "", ""]


def test_a_name_is_no_formula_of_a_spreadsheet(mill: Mill) -> None:
    mill.post("/api/v1/images?batch=formula&name==1%2B1.jpg", data=photo_jpeg(seed=950))
    for address in ("manifest.csv", "manifest"):
        (row,) = rows_of(mill.get(f"/api/v1/batches/formula/{address}").text)
        assert row["name"] == "'=1+1.jpg"


def test_the_page_of_a_batch_leads_to_both(mill: Mill, batch: str) -> None:
    html = mill.get(f"/batches/{batch}").text
    assert f'href="/api/v1/batches/{batch}/results.zip"' in html
    assert f'href="/api/v1/batches/{batch}/manifest?format=csv"' in html
    assert f'href="/api/v1/batches/{batch}/manifest?format=json"' in html


@pytest.mark.parametrize("name", ["nothing", "a%20b"])
@pytest.mark.parametrize("file", ["results.zip", "manifest.csv", "manifest", "manifest?format=json"])
def test_an_unknown_batch_is_404(mill: Mill, name: str, file: str) -> None:
    answer = mill.get(f"/api/v1/batches/{name}/{file}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-batch")


def test_names_are_told_apart_whatever_their_case() -> None:
    info = ImageInfo(sha256="0" * 64, bytes=1, width=1, height=1, content_type="image/png")
    names = FileNames()

    def named(name: str, number: int) -> str:
        job = Job(
            id=f"{number:036}", batch="b", name=name, recipe="gray", recipe_steps="[]", recipe_digest="0",
            original=info, accepted_at="2026-11-21T09:15:03.000Z", by="api",
        )  # fmt: skip
        outcome = Outcome(id=job.id, batch="b", recipe="gray", status="stored", result=info)
        return names.of(Image(job=job, outcome=outcome))

    assert named("kite.jpg", 1) == "kite-gray.png"
    assert named("KITE.JPG", 2) == "KITE-gray-000000000002.png"
    assert named("=1+1.jpg", 3) == "=1+1-gray.png"
    # Every system can unpack them.
    assert named("C: 1/aux/con.tar.jpg", 4) == "C_ 1/_aux/_con.tar-gray.png"
    assert named("kite-gray.png/a.jpg", 5) == "kite-gray.png_/a-gray.png"
    assert named("Manifest.csv/a.jpg", 6) == "Manifest.csv_/a-gray.png"
    assert named("sun-gray.png/a.jpg", 7) == "sun-gray.png/a-gray.png"
    assert named("sun.jpg", 8) == "sun-gray-000000000008.png"


def test_what_is_erased_while_a_client_reads_is_not_sent_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "_FRESH_SECONDS", -1)
    info = ImageInfo(sha256="0" * 64, bytes=1, width=1, height=1, content_type="image/png")
    at = "2026-11-21T09:15:02.421Z"
    ids, erased = ["a", "b", "c"], set[str]()

    def image(one: str) -> Image:
        job = Job(
            id=one, batch="b", name=f"{one}.png", recipe="gray", recipe_steps="[]", recipe_digest="d", original=info,
            accepted_at=at, by="api",
        )  # fmt: skip
        erasure = Erasure(id=one, batch="b", at=at, by="me", due=at) if one in erased else None
        outcome = Outcome(id=one, batch="b", recipe="gray", status="stored", result=info)
        return Image(job=job, outcome=outcome, erasure=erasure)

    ledger = SimpleNamespace(images=lambda wanted: [image(one) for one in wanted])
    stores = SimpleNamespace(ledger=ledger, blobs=SimpleNamespace(get=lambda _: b"x"))
    pieces = zipped(cast(Any, SimpleNamespace(stores=stores)), [ledger.images(ids)])
    body = next(pieces)
    erased.add("c")
    body += b"".join(pieces)
    read = zipfile.ZipFile(io.BytesIO(body))
    assert read.namelist() == ["a-gray.png", "b-gray.png", "manifest.csv"]
    assert [row["erased_at"] for row in rows_of(read.read("manifest.csv").decode())] == ["", "", at]
