"""What the command line does when things go wrong, told by a server that goes wrong on purpose."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_api import Answer, Ended, FakeApi, reply, served

Run = Callable[..., Ended]
UPLOAD = "POST /api/v1/images"
BUSY = reply(503, {"code": "unavailable", "detail": "The database does not answer."}, Retry_After="5")


def accepted(_number: int, body: bytes) -> Answer:
    """Everything in the request."""
    count = body.count(b'name="file"')
    items = [
        {"id": f"id-{n}", "name": "x", "recipe": "gray", "sha256": "0", "duplicate": False, "url": "/", "index": n}
        for n in range(count)
    ]
    return reply(202, {"batch": "b", "accepted": items, "rejected": []})


def files(folder: Path, count: int, content: bytes = b"picture") -> Path:
    for number in range(count):
        (folder / f"{number:03}.jpg").write_bytes(content)
    return folder


@pytest.mark.parametrize("command", [["totals"], ["upload", __file__], ["events"], ["pools"]])
def test_no_api_is_one_sentence_and_code_3(imagemill: Run, command: list[str]) -> None:
    with socket.socket() as taken:  # It does not listen, and nobody else can.
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        ended = imagemill(*command, "--api", url)
    assert ended.code == 3
    assert ended.err == (
        f"error: Nothing answers at {url}. Is Imagemill running? Say where it is with --api or IMAGEMILL_API.\n"
    )


def test_another_server_is_told_apart(imagemill: Run, fake: FakeApi) -> None:
    fake.on("GET /api/v1/totals", (200, {"Content-Type": "text/html"}, b"<h1>It works</h1>"))
    ended = imagemill("totals", "--api", fake.url)
    assert (ended.code, ended.err) == (1, f"error: {fake.url} is not Imagemill's: its answer is no JSON.\n")


def test_a_token_is_not_sent_on_to_where_the_bytes_are(
    imagemill: Run, fake: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEMILL_TOKEN", "imagemill_secret")
    with served() as elsewhere:
        elsewhere.on("GET /bucket/blob", (200, {"Content-Type": "image/png"}, b"the result"))
        fake.on("GET /api/v1/images/1/result", (302, {"Location": f"{elsewhere.url}/bucket/blob?signed"}, b""))
        ended = imagemill("get", "1", "-o", tmp_path / "got.png", "--api", fake.url)
        assert (ended.code, (tmp_path / "got.png").read_bytes()) == (0, b"the result")
        assert fake.logins["/api/v1/images/1/result"] == "Bearer imagemill_secret"
        assert elsewhere.logins == {"/bucket/blob": None}


def test_a_page_to_log_in_at_is_no_picture(imagemill: Run, fake: FakeApi, tmp_path: Path) -> None:
    fake.on("GET /sign-in", (200, {"Content-Type": "text/html; charset=utf-8"}, b"<form>"))
    fake.on("GET /api/v1/images/1/result", (302, {"Location": "/sign-in?to=1"}, b""))
    ended = imagemill("get", "1", "-o", tmp_path / "got.png", "--api", fake.url)
    assert ended.code == 1
    assert ended.err == f"error: {fake.url} sends to a page for people, {fake.url}/sign-in; log in there first.\n"
    assert not (tmp_path / "got.png").exists()


def test_an_address_that_is_none_is_told(imagemill: Run) -> None:
    assert "is not the address of an API" in imagemill("totals", "--api", "somewhere").err


def test_the_environment_says_where_the_api_is_and_the_option_wins(
    imagemill: Run, fake: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEMILL_API", fake.url)
    assert "nothing here" in imagemill("totals").err
    assert imagemill("totals", "--api", "http://127.0.0.1:1").code == 3
    assert imagemill("--api", "http://127.0.0.1:1", "totals").code == 3


def test_an_upload_outlasts_a_server_that_is_away(
    imagemill: Run, fake: FakeApi, tmp_path: Path, no_pauses: list[float]
) -> None:
    fake.on(UPLOAD, lambda number, body: BUSY if number < 4 else accepted(number, body))
    ended = imagemill("upload", files(tmp_path, 3), "--api", fake.url)
    assert (ended.code, fake.times(UPLOAD)) == (0, 4)
    assert all(5 <= pause <= 7.5 for pause in no_pauses)


def test_an_upload_gives_up_in_the_end(imagemill: Run, fake: FakeApi, tmp_path: Path, no_pauses: list[float]) -> None:
    fake.on(UPLOAD, BUSY)
    ended = imagemill("upload", files(tmp_path, 1), "--api", fake.url)
    assert ended.code == 1
    assert "not sent" in ended.out
    assert "The database does not answer." in ended.out
    assert fake.times(UPLOAD) == 10


def test_what_a_server_could_not_take_any_more_is_sent_again(
    imagemill: Run, fake: FakeApi, tmp_path: Path, no_pauses: list[float]
) -> None:
    def half(number: int, body: bytes) -> Answer:
        if number > 1:
            return accepted(number, body)
        away = [{"name": "001.jpg", "code": "unavailable", "detail": "Not taken in.", "index": 1}]
        first = {"id": "id", "name": "000.jpg", "recipe": "gray", "sha256": "0", "duplicate": False, "index": 0}
        return reply(202, {"batch": "b", "accepted": [first], "rejected": away})

    fake.on(UPLOAD, half)
    ended = imagemill("upload", files(tmp_path, 2), "--api", fake.url, "--json")
    assert ended.code == 0
    assert [Path(item["file"]).name for item in ended.told("accepted")] == ["000.jpg", "001.jpg"]
    assert b"000.jpg" not in fake.asked[-1][2]


def test_after_a_broken_connection_the_same_files_go_with_the_same_keys(
    imagemill: Run, fake: FakeApi, tmp_path: Path, no_pauses: list[float]
) -> None:
    keys: list[list[bytes]] = []

    def breaking(number: int, body: bytes) -> Answer:
        keys.append(re.findall(rb'name="key"\r\n\r\n(.*?)\r\n', body))
        return (0, {}, b"") if number < 3 else accepted(number, body)

    fake.on(UPLOAD, breaking)
    ended = imagemill("upload", files(tmp_path, 2), "--api", fake.url)
    assert ended.code == 0
    assert keys[0] == keys[1] == keys[2]
    assert len(set(keys[0])) == 2


def test_a_connection_that_always_breaks_is_given_up_and_the_doubt_is_told(
    imagemill: Run, fake: FakeApi, tmp_path: Path, no_pauses: list[float]
) -> None:
    fake.on(UPLOAD, (0, {}, b""))
    ended = imagemill("upload", files(tmp_path, 1), "--api", fake.url)
    assert (ended.code, fake.times(UPLOAD)) == (1, 6)
    assert "Whether it was accepted is not known: send it again into the same --batch." in ended.out


def test_a_server_that_takes_less_at_a_time_gets_less(imagemill: Run, fake: FakeApi, tmp_path: Path) -> None:
    def small(number: int, body: bytes) -> Answer:
        if body.count(b'name="file"') > 5:
            return reply(413, {"code": "too-many-files", "detail": "20 files in one request; at most 5."})
        return accepted(number, body)

    fake.on(UPLOAD, small)
    ended = imagemill("upload", files(tmp_path, 20), "--api", fake.url, "--json")
    assert ended.code == 0
    assert len(ended.told("accepted")) == 20


def test_requests_have_at_most_twenty_files_and_jobs_at_a_time(imagemill: Run, fake: FakeApi, tmp_path: Path) -> None:
    now, most, lock = [0], [0], threading.Lock()
    together = threading.Barrier(2, timeout=60)

    def slow(number: int, body: bytes) -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        together.wait()
        with lock:
            now[0] -= 1
        return accepted(number, body)

    fake.on(UPLOAD, slow)
    assert imagemill("upload", files(tmp_path, 80), "--api", fake.url, "--jobs", 2).code == 0
    assert fake.times(UPLOAD) == 4
    assert most[0] == 2


def test_an_order_that_cannot_be_is_told_once(imagemill: Run, fake: FakeApi, tmp_path: Path) -> None:
    fake.on("GET /api/v1/images", reply(200, {"images": [], "next": None}))
    fake.on(UPLOAD, reply(400, {"code": "bad-batch", "detail": "'a b' cannot name a batch."}))
    ended = imagemill("upload", files(tmp_path, 400), "--api", fake.url, "-b", "a b", "-j", 1)
    assert (ended.code, ended.err) == (1, "error: 'a b' cannot name a batch.\n")
    assert fake.times(UPLOAD) < 400 / 20


def test_unknown_recipes_and_missing_files_are_told_before_anything_is_sent(
    imagemill: Run, fake: FakeApi, tmp_path: Path
) -> None:
    unknown = imagemill("upload", files(tmp_path, 1), "--api", fake.url, "-r", "grey")
    assert unknown.code == 2
    assert "There is no recipe 'grey'" in unknown.err
    for argument in ("nothere.jpg", "*.nothere"):
        assert imagemill("upload", tmp_path, argument, "--api", fake.url).code == 1
    assert fake.times(UPLOAD) == 0


def test_unreadable_files_are_told_and_the_others_sent(
    imagemill: Run, fake: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagemill.cli.files.LARGEST_FILE_BYTES", 10)
    files(tmp_path, 1)
    (tmp_path / "large.jpg").write_bytes(bytes(11))
    fake.on(UPLOAD, accepted)
    ended = imagemill("upload", tmp_path, "--api", fake.url)
    assert ended.code == 1
    assert "large.jpg: cannot be read: larger than" in ended.out
    assert "1 accepted (0 duplicates), 0 rejected, 1 not sent" in ended.out


def test_a_folder_without_pictures_is_told_and_ends_with_1(imagemill: Run, fake: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    ended = imagemill("upload", tmp_path, "--api", fake.url)
    assert ended.code == 1
    assert ended.err.startswith(f"error: Nothing was sent: there is no picture in {tmp_path} (1 file without")


def test_a_server_that_knows_no_hashes_gets_the_files(imagemill: Run, fake: FakeApi, tmp_path: Path) -> None:
    fake.on(UPLOAD, accepted)
    ended = imagemill("upload", files(tmp_path, 3), "--api", fake.url)
    assert (ended.code, fake.times("POST /api/v1/known"), fake.times(UPLOAD)) == (0, 1, 1)
    assert "21 bytes sent in" in ended.out


def test_ctrl_c_ends_an_upload_with_an_account_and_how_to_go_on(fake: FakeApi, tmp_path: Path) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def held(number: int, body: bytes) -> Answer:
        arrived.set()
        assert go_on.wait(60)
        return accepted(number, body)

    fake.on(UPLOAD, held)
    command = [sys.executable, "-m", "imagemill.cli", "upload", str(files(tmp_path, 60)), "--api", fake.url, "-j", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert arrived.wait(60)
        os.kill(process.pid, signal.SIGINT)
        assert process.stderr is not None
        assert "under way is waited for" in process.stderr.readline()
        go_on.set()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "20 accepted (0 duplicates)" in out
    assert "the same command with --batch " in err
    assert fake.times(UPLOAD) == 1


def counts(**changed: int) -> dict[str, int]:
    usual = {"offered": 12071, "accepted": 12034, "rejected": 37, "stored": 11990, "duplicates": 1, "failed": 4}
    return usual | {"in_flight": 40} | changed


def test_totals_are_one_equation(imagemill: Run, fake: FakeApi) -> None:
    fake.on("GET /api/v1/totals", reply(200, counts()))
    said = "12,034 accepted = 11,990 stored + 4 failed + 40 in flight; 37 rejected at the door\n"
    assert imagemill("totals", "--api", fake.url) == Ended(0, said, "")


@pytest.mark.parametrize("changed", [{"stored": 11991}, {"offered": 12070}, {"in_flight": -1, "failed": 45}])
def test_totals_that_do_not_add_up_end_with_1(imagemill: Run, fake: FakeApi, changed: dict[str, int]) -> None:
    fake.on("GET /api/v1/totals", reply(200, counts(**changed)))
    ended = imagemill("totals", "--api", fake.url, "--json")
    assert ended.code == 1
    assert "do not add up" in ended.err


def test_a_batch_is_followed_until_nothing_is_in_flight(imagemill: Run, fake: FakeApi, no_pauses: list[float]) -> None:
    stored = {"stored": 12030, "in_flight": 0}
    fake.on("GET /api/v1/batches/b", lambda number, _: reply(200, counts() if number < 3 else counts(**stored)))
    ended = imagemill("batch", "b", "--follow", "--api", fake.url)
    assert "0 in flight" in ended.out
    assert (ended.code, fake.times("GET /api/v1/batches/b")) == (1, 3)  # 1: some have failed


POOL: dict[str, Any] = {
    "name": "default", "mode": "Active", "paused": False, "desired_replicas": 6, "ready_replicas": 5,
    "min_replicas": 0, "max_replicas": 8, "backlog": {"ready": 212, "unacked": None}, "arrival_rate": None,
    "service_rate": 35.25, "predicted_wait_seconds": 6.0, "objective": {"max_wait_seconds": 10.0},
    "reason": "212 waiting, 35 a second with 6 workers: 6 s wait, objective 10 s, so 6 stay.",
}  # fmt: skip


@pytest.mark.parametrize("answer", [{"pools": [POOL]}, [POOL]])
def test_pools_are_a_table_with_a_sentence(imagemill: Run, fake: FakeApi, answer: Any) -> None:
    fake.on("GET /api/v1/pools", reply(200, answer))
    ended = imagemill("pools", "--api", fake.url)
    assert ended.code == 0
    row = next(line for line in ended.out.splitlines() if line.startswith("default "))
    assert row.split() == ["default", "5/6", "0-8", "212", "?", "?", "35.2", "6.0", "s", "10", "s", "Active"]
    assert f"default: {POOL['reason']}" in ended.out


def test_a_pool_that_is_left_alone_tells_why(imagemill: Run, fake: FakeApi) -> None:
    refused = {"name": "heavy", "queues": ["work.heavy"], "limit": "refused", "reason": "It has an HPA.", "terms": []}
    fake.on("GET /api/v1/pools", reply(200, {"pools": [refused]}))
    ended = imagemill("pools", "--api", fake.url)
    assert ended.code == 0
    assert "heavy: It has an HPA." in ended.out


def test_names_cannot_command_the_terminal(imagemill: Run, fake: FakeApi) -> None:
    hostile = {"at": "2026-11-21T09:15:02Z", "name": "\x1b[2J[red]x\n", "code": "c", "batch": "b", "detail": "d"}
    fake.on("GET /api/v1/rejections", reply(200, {"rejections": [hostile], "next": None}))
    said = imagemill("rejections", "--api", fake.url).out
    assert "\x1b" not in said
    assert "[red]x" in said


def test_a_stream_that_ends_is_taken_up_again_and_not_for_ever(
    imagemill: Run, fake: FakeApi, no_pauses: list[float]
) -> None:
    fake.on("GET /api/v1/totals", reply(200, counts()))
    ended = imagemill("events", "--json", "--api", fake.url)
    assert ended.code == 1  # 404: it will never be there

    event = b"event: outcome\ndata: {}\n\n"
    fake.on(
        "GET /api/v1/events",
        lambda number, _: (200, {"Content-Type": "text/event-stream"}, event if number == 2 else b": ping\n\n"),
    )
    ended = imagemill("events", "--json", "--api", fake.url)
    assert ended.out == '{"event": "outcome", "data": {}}\n'
    assert "giving up" in ended.err


def test_ctrl_c_does_not_wait_for_a_server_that_is_away(fake: FakeApi, tmp_path: Path) -> None:
    asked = threading.Event()

    def away(_number: int, _body: bytes) -> Answer:
        asked.set()
        return reply(503, {"code": "unavailable", "detail": "Away."}, Retry_After="30")

    fake.on(UPLOAD, away)
    command = [sys.executable, "-m", "imagemill.cli", "upload", str(files(tmp_path, 1)), "--api", fake.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert asked.wait(60)
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "not sent" in out
