"""Tests of cameras: asked for by the API, done by a reader, few at a time and never for long."""

import json
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from imagemill.api.cameras import camera_tests
from imagemill.api.cameras.camera_tests import CameraTests
from imagemill.camera import tester
from imagemill.camera.tester import AT_ONCE, CameraTester
from imagemill.domain.cameras import Camera
from imagemill.domain.errors import Busy, Invalid, NoAnswer
from imagemill.process.environment import without_secrets
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.camera_tests import CameraTestReply, Kind, parse_reply, parse_request, reply_message
from mill import wait_for

CAMERA = Camera(id="yard", name="Yard", address="rtsp://yard/")
Answers = Mapping[str, list[tuple[Kind, bytes]]]


def delivered(message: Outgoing) -> Delivery:
    """As it arrives."""
    properties = SimpleNamespace(type=message.type, reply_to=message.reply_to)
    return cast("Delivery", SimpleNamespace(body=message.body, headers=message.headers, properties=properties))


class Readers:
    """Readers that answer as they are told to; `asked` are those that were."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.asked = answers, list[str]()
        self.tests = CameraTests("api.1", self.submit, lambda: list(answers), timeout_seconds=1)

    def submit(self, message: Outgoing) -> None:
        request = parse_request(delivered(message))
        assert (request.reply_to, request.camera) == ("api.1", CAMERA)
        self.asked.append(request.reader)
        for kind, data in self.answers[request.reader]:
            self.tests.arrived(delivered(reply_message(CameraTestReply(request.id, kind, data), "api.1")))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_tests, "_BEGIN_SECONDS", 0.2)
    monkeypatch.setattr(camera_tests, "_MARGIN_SECONDS", -0.8)


def test_the_frame_of_the_idlest_reader_is_the_answer() -> None:
    readers = Readers({"a": [("begun", b""), ("frame", b"jpeg")], "b": []})
    assert readers.tests.frame(CAMERA) == b"jpeg"
    assert readers.asked == ["a"]


def test_why_there_is_no_frame_is_said() -> None:
    with pytest.raises(Invalid, match=r"^The camera gave no picture: it is night\.$") as error:
        Readers({"a": [("begun", b""), ("failed", b"it is night.")]}).tests.frame(CAMERA)
    assert error.value.code == "camera-failed"


@pytest.mark.parametrize(
    ("answers", "words"),
    [({}, "start one"), ({"a": [], "b": []}, "does one run"), ({"a": [("begun", b"")]}, "was gone")],
)
def test_without_a_reader_it_is_said_soon(answers: Answers, words: str) -> None:
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=words) as error:
        Readers(answers).tests.frame(CAMERA)
    assert error.value.code == "no-reader"
    assert time.monotonic() - began < 2


def test_another_reader_is_asked_when_one_is_silent_or_busy() -> None:
    done: list[tuple[Kind, bytes]] = [("begun", b""), ("frame", b"jpeg")]
    assert Readers({"a": [], "b": done}).tests.frame(CAMERA) == b"jpeg"
    assert Readers({"a": [("busy", b"")], "b": done}).tests.frame(CAMERA) == b"jpeg"
    readers = Readers({"a": [("busy", b"")], "b": [("busy", b"")], "c": done})
    with pytest.raises(Busy) as error:
        readers.tests.frame(CAMERA)
    assert (error.value.code, readers.asked) == ("tests-busy", ["a", "b"])


def test_the_api_waits_for_a_few_only() -> None:
    readers = Readers({"a": [("begun", b"")]})

    def outcome(_: int) -> str:
        try:
            readers.tests.frame(CAMERA)
        except (Busy, NoAnswer) as error:
            return error.code
        return ""

    with ThreadPoolExecutor(10) as pool:
        outcomes = sorted(pool.map(outcome, range(10)))
    assert outcomes.count("no-reader") >= camera_tests._AT_ONCE
    assert "tests-busy" in outcomes


class Sent:
    """A broker that keeps what it is given."""

    def __init__(self) -> None:
        self.replies: list[CameraTestReply] = []

    def submit(self, message: Outgoing) -> None:
        assert (message.exchange, message.key) == ("replies", "api.1")
        self.replies.append(parse_reply(delivered(message)))

    def kinds(self) -> list[str]:
        return sorted(reply.kind for reply in self.replies)


def request(reader: str, number: int = 0) -> Delivery:
    body = json.dumps({"id": str(number), "reader": reader, "camera": CAMERA.as_json()}).encode()
    return delivered(Outgoing("looks", "", body=body, type="camera-test", reply_to="api.1"))


def test_a_reader_does_what_names_it_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, sent = threading.Event(), Sent()
    monkeypatch.setattr(tester, "tested", lambda *_: (go_on.wait(30), ("frame", b"jpeg"))[1])
    made = CameraTester("me", cast("Any", sent), 1)
    made.start()
    assert made.takes(request("another"))
    for number in range(AT_ONCE + 3):
        assert made.takes(request("me", number))
    wait_for(lambda: sent.kinds() == ["begun"] * AT_ONCE + ["busy"] * 3, "answers to all")
    go_on.set()
    wait_for(lambda: sent.kinds().count("frame") == AT_ONCE, "the frames")
    made.takes(request("me", 9))
    wait_for(lambda: sent.kinds().count("frame") == AT_ONCE + 1, "one more")
    assert made.close(10)


def test_what_is_no_test_is_for_somebody_else_and_what_cannot_be_read_is_nobody_s() -> None:
    sent = Sent()
    made = CameraTester("me", cast("Any", sent), 1)
    assert not made.takes(delivered(Outgoing("looks", "", type="look", reply_to="api.1")))
    assert made.takes(delivered(Outgoing("looks", "", body=b"[]", type="camera-test", reply_to="api.1")))
    assert sent.replies == []


def test_a_child_gets_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = {
        "AMQP_URL": "hunter2",
        "COUCHDB_URL": "hunter2",
        "IMAGEMILL_API_TOKEN": "hunter2",
        "AWS_SECRET": "hunter2",
    }
    for name, value in secret.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IMAGEMILL_CAMERA_FOLDER", str(tmp_path))
    child = without_secrets(os.environ, "IMAGEMILL_CAMERA_")
    assert "hunter2" not in child.values()
    assert (child["PATH"], child["IMAGEMILL_CAMERA_FOLDER"]) == (os.environ["PATH"], str(tmp_path))
    assert not [name for name in without_secrets(os.environ) if name.startswith("IMAGEMILL_")]
