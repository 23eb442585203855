"""The commands against a running Imagemill."""

import csv
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_api import Ended
from imagemill.cli.events import told
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
    ended = run("upload", folder, "-r", "gray", "-r", "thumbnail", "-b", "folder", "--wait")
    assert ended.code == 1
    assert "The file is not a picture" in line_of(ended, "notes.jpg")
    assert "(truncated)" in line_of(ended, "cut.jpg")
    assert "4 accepted (0 duplicates), 2 rejected; 4 stored, 0 failed; " in ended.out
    assert "imagemill download folder --to FOLDER" in ended.err
    assert "1 file without a picture's ending passed over" in ended.err
    assert run("batch", "folder").out == ("4 accepted = 4 stored + 0 failed + 0 in flight; 2 rejected at the door\n")


def line_of(ended: Ended, name: str) -> str:
    return next(line for line in ended.out.splitlines() if name in line)


def test_what_is_known_is_not_sent_again_and_duplicates_are_one_number(run: Run, folder: Path) -> None:
    assert run("upload", folder / "beach.jpg", "--wait").code == 0
    ended = run("upload", folder / "beach.jpg", "-r", "gray", "-r", "compress", "--wait")
    assert ended.code == 0
    assert (
        "2 accepted (1 duplicate), 0 rejected; 2 stored, 0 failed; 0 bytes sent (1 file known, not sent) in"
        in ended.out
    )


def test_the_same_folder_into_the_same_batch_adds_nothing(run: Run, folder: Path, mill: Mill) -> None:
    run("upload", folder / "beach.jpg", "-b", "twice", "--wait")
    before = mill.totals()["accepted"]
    ended = run("upload", folder / "beach.jpg", folder / "deeper", "-b", "twice", "--json")
    assert [item["file"] for item in ended.told("there")] == [str(folder / "beach.jpg")]
    assert [item["name"] for item in ended.told("accepted")] == ["deeper/Büro.PNG"]
    assert mill.totals()["accepted"] == before + 1
    assert run("upload", folder / "beach.jpg", "-b", "twice", "--again", "--json").told("accepted")


def test_a_dry_run_tells_what_would_be_sent_and_sends_nothing(run: Run, folder: Path, mill: Mill) -> None:
    (folder / "new.jpg").write_bytes(photo_jpeg(seed=901))
    run("upload", folder / "beach.jpg", "--wait")
    before = mill.totals()
    ended = run("upload", folder / "beach.jpg", folder / "new.jpg", "--dry-run", "--json")
    (told,) = ended.told("dry-run")
    size = (folder / "new.jpg").stat().st_size
    assert told == {"event": "dry-run", "to_send": 1, "bytes": size, "known": 1, "there": 0, "unreadable": 0}
    assert "Would send 1 file" in run("upload", folder / "new.jpg", "-n").out
    assert mill.totals() == before


def test_a_manifest_has_a_row_for_every_file(run: Run, folder: Path, tmp_path: Path) -> None:
    csv_file, lines_file = tmp_path / "made.csv", tmp_path / "made.jsonl"
    run("upload", folder, "-b", "manifest", "--wait", "--manifest", csv_file)
    rows = {row["file"]: row for row in csv.DictReader(csv_file.read_text("utf-8").splitlines())}
    assert rows[str(folder / "beach.jpg")]["status"] == "stored"
    assert rows[str(folder / "beach.jpg")]["sha256"] == hashlib.sha256(photo_jpeg(seed=1)).hexdigest()
    assert rows[str(folder / "notes.jpg")]["code"] == "not-an-image"
    run("upload", folder, "-b", "manifest", "--manifest", lines_file)
    rows = {row["file"]: row for row in map(json.loads, lines_file.read_text().splitlines())}
    assert rows[str(folder / "beach.jpg")] == {"file": str(folder / "beach.jpg"), "status": "there"}


def test_a_batch_is_downloaded_once_with_names_that_say_what_it_is(run: Run, folder: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("one/kite.jpg", "two/kite.jpg")):
        (folder / name).parent.mkdir()
        (folder / name).write_bytes(photo_jpeg(seed=910 + number))
    run("upload", folder / "one", folder / "two", "-b", "fetched", "-r", "gray", "-r", "thumbnail", "--wait")
    to = tmp_path / "results"
    ended = run("download", "fetched", "--to", to)
    assert (ended.code, ended.out.partition(";")[0]) == (0, "4 files fetched")
    names = {path.name for path in to.iterdir()}
    assert {"kite-gray.png", "kite-thumbnail.jpg"} < names
    assert len(names) == 4
    assert "0 files fetched, 4 there already" in run("download", "fetched", "--to", to).out
    (to / "kite-gray.png").write_bytes(b"changed")
    assert "1 file fetched, 3 there already" in run("download", "fetched", "--to", to).out
    assert "2 files fetched" in run("download", "fetched", "--to", tmp_path / "originals", "--original").out
    assert run("download", "nothing", "--to", to).code == 1


def test_wait_ends_when_nothing_is_in_flight_and_says_whether_all_is_well(run: Run, mill: Mill) -> None:
    mill.accepted(photo_jpeg(seed=920), batch="waited")
    ended = run("wait", "waited")
    assert ended.code == 0
    assert ended.out.startswith("1 accepted = 1 stored + 0 failed + 0 in flight; 0 rejected at the door; waited")
    mill.accepted(damaged(96), batch="waited")
    assert run("wait", "waited", "--json").code == 1


def test_status_tells_who_asks_and_what_is_open(run: Run, mill: Mill, failed: dict[str, Any]) -> None:
    ended = run("status")
    assert f"{mill.url}, as " in ended.out
    assert "open: imagemill failures list" in ended.out
    assert run("status", "--json").json["totals"]["failed_open"] >= 1


def test_pictures_that_appear_in_a_folder_are_uploaded(run: Run, folder: Path, mill: Mill) -> None:
    late = threading.Timer(0.5, lambda: (folder / "late.jpg").write_bytes(photo_jpeg(seed=930)))
    late.start()
    ended = run("watch", folder, "-b", "watched", "--every", 0.2, "--until-idle", 5)
    late.join()
    assert ended.code == 1  # two of the folder's files are no pictures
    assert "3 accepted" in ended.out.splitlines()[-1]
    assert "accepted" in line_of(ended, "late.jpg")


def test_standard_input_is_a_picture_too(run: Run, tmp_path: Path) -> None:
    ended = run("upload", "-", "--wait", "--json", stdin=photo_jpeg(seed=3))
    assert [(item["name"], item["file"]) for item in ended.told("accepted")] == [("stdin", "standard input")]
    assert [item["stored"] for item in ended.told("summary")] == [1]


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
    command = [sys.executable, "-m", "imagemill.cli", "events", "--api", mill.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_events_tell_how_many_alerts_are_new() -> None:
    assert told("alerts", {"new": 1200}) == "alerts      1,200 new"


def test_events_tell_outcomes_as_they_happen(watching: "subprocess.Popen[str]", mill: Mill) -> None:
    assert watching.stdout is not None
    assert watching.stdout.readline().startswith("totals ")
    (image_id,) = mill.accepted(photo_jpeg(seed=4))
    said = next(line for line in watching.stdout if not line.startswith(("totals", "alerts")))
    assert said.startswith("stored ")
    assert image_id in said
