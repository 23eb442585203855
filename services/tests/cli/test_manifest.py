"""`imagemill manifest`: to the standard output or into a file, and what it says when there is no such batch."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fake_api import Ended, FakeApi, reply

Run = Callable[..., Ended]
PATH = "GET /api/v1/batches/holiday/manifest"
ROW = '{"id":"1","name":"Süd.jpg"}\n'


def test_a_manifest_goes_to_the_standard_output(imagemill: Run, fake: FakeApi) -> None:
    fake.on(PATH, (200, {"Content-Type": "application/jsonl"}, ROW.encode()))
    ended = imagemill("manifest", "holiday", "--format", "json", "--api", fake.url)
    assert (ended.code, ended.out, ended.err) == (0, ROW, "")


def test_a_manifest_goes_into_a_file_that_is_whole(imagemill: Run, fake: FakeApi, tmp_path: Path) -> None:
    fake.on(PATH, (200, {"Content-Type": "text/csv"}, b"id,name\r\n"))
    target = tmp_path / "holiday.csv"
    ended = imagemill("manifest", "holiday", "-o", target, "--api", fake.url)
    assert (ended.code, ended.out, target.read_bytes()) == (0, "", b"id,name\r\n")
    assert f"{target}: 9 bytes" in ended.err.replace("\n", "")


@pytest.mark.parametrize("output", [(), ("-o", "-")])
def test_an_unknown_batch_is_told(imagemill: Run, fake: FakeApi, output: tuple[str, ...]) -> None:
    detail = "Nothing was ever offered under the batch 'holiday'."
    fake.on(PATH, reply(404, {"code": "unknown-batch", "detail": detail}))
    ended = imagemill("manifest", "holiday", *output, "--api", fake.url)
    assert (ended.code, ended.out) == (1, "")
    assert detail in ended.err


def test_a_form_that_there_is_not_is_refused_before_anything_is_asked(imagemill: Run, fake: FakeApi) -> None:
    ended = imagemill("manifest", "holiday", "--format", "parquet", "--api", fake.url)
    assert ended.code == 2
    assert fake.times(PATH) == 0
