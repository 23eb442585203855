"""The commands against a running Imagemill."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_api import Ended
from mill import Mill, wait_for
from pictures import photo_jpeg, png, truncated_jpeg

Run = Callable[..., Ended]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, one of them deeper; a cut one; a text; and what looks like no picture at all."""
    (tmp_path / "deeper").mkdir()
    (tmp_path / "beach.jpg").write_bytes(photo_jpeg(seed=1))
    (tmp_path / "deeper" / "Büro.PNG").write_bytes(png())
    (tmp_path / "cut.jpg").write_bytes(truncated_jpeg())
    (tmp_path / "notes.jpg").write_text("no picture")
    (tmp_path / "readme.txt").write_text("about these pictures")
    (tmp_path / ".hidden.jpg").write_bytes(png())
    return tmp_path


@pytest.fixture
def run(imagemill: Run, mill: Mill) -> Run:
    return lambda *arguments, **more: imagemill("--api", mill.url, *arguments, **more)


@pytest.fixture(scope="module")
def stored(mill: Mill) -> dict[str, Any]:
    (image_id,) = mill.accepted(photo_jpeg(seed=2), batch="shown")
    return mill.ended(image_id)


@pytest.fixture(scope="module")
def failed(mill: Mill) -> dict[str, Any]:
    (image_id,) = mill.accepted(damaged(), batch="broken")
    return mill.ended(image_id)


def damaged(size: int = 256) -> bytes:
    """A PNG whose header is in order and whose pixels are not."""
    data = bytearray(png(size, size))
    at = data.index(b"IDAT") + 20
    data[at : at + 40] = bytes(40)
    return bytes(data)


def test_upload_of_a_folder_says_what_became_of_every_file(run: Run, folder: Path) -> None:
    ended = run("upload", folder, "--recursive", "-r", "gray", "-r", "thumbnail", "-b", "folder", "--wait")
    assert ended.code == 1
    assert "The file is not a picture" in line_of(ended, "notes.jpg")
    assert "(truncated)" in line_of(ended, "cut.jpg")
    assert "4 accepted (0 duplicates), 2 rejected; batch folder" in ended.out
    assert "1 file without a picture's ending passed over" in ended.err
    assert run("batch", "folder").out == ("4 accepted = 4 stored + 0 failed + 0 in flight; 2 rejected at the door\n")


def line_of(ended: Ended, name: str) -> str:
    return next(line for line in ended.out.splitlines() if name in line)


def test_what_was_known_is_called_a_duplicate(run: Run, folder: Path) -> None:
    assert run("upload", folder / "beach.jpg", "--wait").code == 0
    ended = run("upload", folder / "beach.jpg")
    assert ended.code == 0
    assert "duplicate" in line_of(ended, "its result was known already")
    assert "1 accepted (1 duplicate)" in ended.out


def test_resume_sends_only_what_the_batch_has_not(run: Run, folder: Path, mill: Mill) -> None:
    run("upload", folder / "beach.jpg", "-b", "resumed", "--wait")
    ended = run("upload", folder / "*.jpg", folder / "deeper", "-b", "resumed", "--resume", "--json")
    assert ended.json["skipped"] == [str(folder / "beach.jpg")]
    assert [item["name"] for item in ended.json["accepted"]] == ["Büro.PNG"]
    assert {Path(item["file"]).name for item in ended.json["rejected"]} == {"cut.jpg", "notes.jpg"}


def test_standard_input_is_a_picture_too(run: Run, tmp_path: Path) -> None:
    ended = run("upload", "-", "--wait", "--json", stdin=photo_jpeg(seed=3))
    assert [(item["name"], item["file"]) for item in ended.json["accepted"]] == [("stdin", "standard input")]


def test_pictures_that_fail_are_told_when_waited_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "damaged.png").write_bytes(damaged(128))
    ended = run("upload", tmp_path / "damaged.png", "--wait")
    assert ended.code == 1
    assert "cannot be decoded" in line_of(ended, "failed ")


def test_many_pictures_need_several_requests_and_all_arrive(run: Run, tmp_path: Path, mill: Mill) -> None:
    for number in range(45):
        (tmp_path / f"{number}.jpg").write_bytes(photo_jpeg(64, 48, seed=1000 + number))
    assert run("upload", tmp_path, "-b", "many", "--wait", "--jobs", 2).code == 0
    assert mill.get("/api/v1/batches/many").json()["stored"] == 45


def test_get_writes_the_result_and_the_original(run: Run, stored: dict[str, Any], tmp_path: Path) -> None:
    assert run("get", stored["id"], "-o", tmp_path / "gray.png").code == 0
    assert (tmp_path / "gray.png").read_bytes().startswith(b"\x89PNG")
    assert run("get", stored["id"], "--original", "-o", tmp_path / "original.jpg").code == 0
    assert (tmp_path / "original.jpg").read_bytes() == photo_jpeg(seed=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gray.png", "original.jpg"]


def test_get_never_writes_over_a_file_it_was_not_told_of(
    run: Run, stored: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("get", stored["id"]).code == 0
    (written,) = tmp_path.iterdir()
    written.write_text("precious")
    ended = run("get", stored["id"])
    assert ended.code == 1
    assert "exists; name the file" in ended.err
    assert written.read_text() == "precious"


def test_show_tells_the_trace_in_milliseconds(run: Run, stored: dict[str, Any]) -> None:
    said = run("show", stored["id"]).out
    for step in ("accepted", "taken", "done", "stored"):
        assert step in said
    assert "ms from accepted to stored" in said
    assert run("show", stored["id"], "--json").json == stored


def test_journal_tells_one_pictures_story(run: Run, stored: dict[str, Any]) -> None:
    def told() -> bool:
        said = run("journal", "--image", stored["id"]).out
        return all(f" {kind} " in said for kind in ("accepted", "taken", "done", "stored"))

    wait_for(told, "the journal")


def test_list_shows_a_batch(run: Run, stored: dict[str, Any]) -> None:
    said = run("list", "--batch", "shown", "--state", "stored").out
    assert stored["id"] in said
    assert "picture-0.jpg" in said
    assert len(run("list", "--limit", 1, "--json").json["images"]) == 1


def test_failures_tell_the_reason_and_what_to_do(run: Run, failed: dict[str, Any]) -> None:
    said = run("failures", "list", "--batch", "broken").out
    assert failed["id"] in said
    assert "cannot be decoded" in said
    assert "image editor" in said


def test_rejections_tell_the_reason(run: Run, folder: Path) -> None:
    run("upload", folder / "notes.jpg", "-b", "refused")
    said = run("rejections", "--batch", "refused").out
    assert "notes.jpg" in said
    assert "is not a picture" in said


def test_retry_of_a_picture_that_did_not_fail_is_refused(run: Run, stored: dict[str, Any]) -> None:
    ended = run("failures", "retry", stored["id"])
    assert ended.code == 1
    assert "Only failed pictures are retried" in ended.out


def test_all_open_failures_are_retried_once_and_their_retries_next(
    run: Run, mill: Mill, failed: dict[str, Any]
) -> None:
    again = ("failures", "retry", "--all", "--batch", "broken", "--json")
    (first,) = run(*again).json["retried"]
    assert first["id"] == failed["id"]
    mill.ended(first["retry"])
    (second,) = run(*again).json["retried"]
    assert second["id"] == first["retry"]
    mill.ended(second["retry"])
    assert run("failures", "retry", "--all", "--batch", "broken", "--code", "crashed").code == 1


def test_failures_are_discarded_with_a_note_and_reopened(run: Run, mill: Mill) -> None:
    (image_id,) = mill.accepted(damaged(64), batch="note")
    mill.ended(image_id)
    assert "1 picture discarded, 0 refused" in run("failures", "discard", image_id, "-m", "a test card").out
    assert run("failures", "list", "--batch", "note").err == "No failure is open.\n"
    assert "a test card" in run("failures", "list", "--batch", "note", "--state", "discarded").out
    assert run("failures", "reopen", image_id).out == "1 picture open again\n"
    assert run("failures", "reopen", image_id).code == 1


def test_which_failures_are_meant_must_be_said(run: Run, failed: dict[str, Any]) -> None:
    for arguments in ([], [failed["id"], "--all"], [failed["id"], "--code", "crashed"]):
        ended = run("failures", "retry", *arguments)
        assert ended.code == 2
        assert "Name ids, or --all" in ended.err


def test_totals_print_the_equation(run: Run, mill: Mill) -> None:
    counts = mill.all_ended()
    ended = run("totals")
    assert ended.code == 0
    assert ended.out.startswith(f"{counts['accepted']:,} accepted = {counts['stored']:,} stored + ")
    assert run("totals", "--json").json == counts


def test_recipes_are_listed_with_their_pool(run: Run) -> None:
    said = run("recipes").out
    assert "gray *" in said
    assert "heavy" in next(line for line in said.splitlines() if line.startswith("denoise"))


def test_no_scaler_is_one_sentence(run: Run) -> None:
    ended = run("pools")
    assert ended.code == 1
    assert ended.err.startswith("error: No scaler is known")


@pytest.fixture
def watching(mill: Mill) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "imagemill.cli", "watch", "--api", mill.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_watch_tells_outcomes_as_they_happen(watching: "subprocess.Popen[str]", mill: Mill) -> None:
    assert watching.stdout is not None
    assert watching.stdout.readline().startswith("totals ")
    (image_id,) = mill.accepted(photo_jpeg(seed=4))
    said = next(line for line in watching.stdout if not line.startswith("totals"))
    assert said.startswith("stored ")
    assert image_id in said
