"""Cameras over the API, with readers and a real RTSP server behind it; no secret is ever told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import requests

from camera.conftest import PASSWORD, USER, Eyes
from mill import Mill, wait_for
from pictures import photo_jpeg

ALL = "/api/v1/cameras"


def status(mill: Mill, camera: str) -> dict[str, Any]:
    found: dict[str, Any] = mill.get(f"{ALL}/{camera}").json()["status"]
    return found


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def shown(mill: Mill, camera: str, size: str) -> requests.Response:
    """Its newest frame, once a reader answers in time."""

    def answer() -> requests.Response | None:
        found = mill.get(f"{ALL}/{camera}/latest", params={"size": size})
        return found if found.status_code == 200 else None

    frame: requests.Response = wait_for(answer, f"a frame of {camera}")
    return frame


def put(mill: Mill, camera: str, body: dict[str, Any], **given: str) -> requests.Response:
    return mill.http.put(f"{mill.url}{ALL}/{camera}", json=body, headers=given, timeout=30)


def test_a_camera_is_added_read_looked_at_changed_and_removed(mill: Mill, eyes: Eyes) -> None:
    mill.start("api", "camera")
    answer = mill.post(ALL, json={"name": "The Yard", "address": "yard", "frames_per_second": 5})
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{ALL}/the-yard")
    assert code(mill.post(ALL, json={"name": "the yard"})) == (409, "camera-exists")
    live = wait_for(lambda: (found := status(mill, "the-yard"))["state"] == "live" and found, "it to be live")
    assert live["reader"].startswith("camera-")
    small = shown(mill, "the-yard", "small")
    full = shown(mill, "the-yard", "full")
    assert small.headers["Content-Type"] == "image/jpeg"
    wait_for(lambda: full.content in {frame.data for frame in eyes.of("the-yard")}, "the same frame to be sent")
    assert mill.get(f"{ALL}/the-yard/latest", headers={"If-None-Match": small.headers["ETag"]}).status_code in (
        200,
        304,
    )
    assert mill.get(f"{ALL}/the-yard/latest", headers={"Accept": "*/*"}).headers["X-Content-Type-Options"] == "nosniff"

    found = mill.get(f"{ALL}/the-yard")
    changed = {**found.json(), "name": "Yard", "enabled": False}
    assert code(put(mill, "the-yard", {"name": "x"})) == (428, "precondition-required")
    assert code(put(mill, "the-yard", {"name": "x"}, **{"If-Match": '"1-0"'})) == (412, "changed-meanwhile")
    answer = put(mill, "the-yard", changed, **{"If-Match": found.headers["ETag"]})
    assert (answer.status_code, answer.json()["name"], answer.json()["address"]) == (200, "Yard", "yard")
    assert code(put(mill, "the-yard", changed)) == (412, "changed-meanwhile")
    assert status(mill, "the-yard")["state"] == "disabled"

    assert mill.http.delete(f"{mill.url}{ALL}/the-yard", timeout=30).status_code == 204
    assert code(mill.get(f"{ALL}/the-yard")) == (404, "unknown-camera")
    assert code(mill.get(f"{ALL}/_anything")) == (404, "unknown-camera")
    assert code(mill.http.delete(f"{mill.url}{ALL}/_anything", timeout=30)) == (404, "unknown-camera")
    wait_for(lambda: mill.get(f"{ALL}/the-yard/latest").status_code == 404, "nothing to see")
    assert code(mill.get(f"{ALL}/the-yard/latest")) == (404, "no-frame")


def test_what_cannot_be_a_camera_is_said_with_its_member(mill: Mill) -> None:
    mill.start("api")
    for given, member, words in (
        ({"name": ""}, "name", "needs a name"),
        ({"name": "a", "frames_per_second": 99}, "frames_per_second", "from 0.01 to 30"),
        ({"name": "a", "adress": "x"}, "adress", "has no 'adress'"),
        ({"name": "a", "motion": {"sensitivty": 3}}, "motion", "sensitivity"),
        ({"name": "a", "motion": {"masks": [[[0, 0], [1, 2]]]}}, "motion", "at least 3"),
        ({"name": "a", "address": "rtsp://me:hunter2@cam/"}, "address", "credentials file"),
        ({"name": "a", "address": "http://cam/snap?user=me&pwd=hunter2"}, "address", "credentials file"),
        ({"name": "a", "address": "gopher://cam/"}, "address", "gopher:// is not allowed"),
        ({"name": "a", "address": "http://169.254.169.254/latest"}, "address", "link-local"),
        ({"name": "a", "address": "/etc/passwd"}, "address", "not in a folder that may be read"),
        ({"name": "a", "address": "../../etc/passwd"}, "address", "not in a folder that may be read"),
    ):
        answer = mill.post(ALL, json=given)
        assert (answer.status_code, answer.json().get("member")) == (422, member), answer.text
        assert words in answer.json()["detail"]
        assert "hunter2" not in answer.text
    assert code(mill.post(ALL, json=[])) == (400, "bad-json")
    for path in (ALL, f"{ALL}/test", "/api/v1/snoozes"):
        assert code(mill.post(path, data=b"[" * 100_000, headers={"Content-Type": "application/json"})) == (
            400,
            "bad-json",
        )
    as_json = {"Content-Type": "application/json"}
    assert code(mill.post(ALL, data=b" " * 300_000, headers=as_json)) == (413, "request-too-large")
    assert mill.get(ALL).json()["cameras"] == []


def test_without_a_reader_a_camera_is_unassigned_and_the_api_says_why(mill: Mill) -> None:
    mill.start("api")
    mill.post(ALL, json={"name": "yard", "address": "yard"})
    mill.post(ALL, json={"name": "posted"})
    assert (status(mill, "yard")["state"], status(mill, "yard")["problem"]) == (
        "unassigned", "no camera reader runs; start one",
    )  # fmt: skip
    assert status(mill, "posted")["state"] == "posted"
    assert code(mill.get(f"{ALL}/yard/latest")) == (404, "no-frame")


def trial(mill: Mill, given: dict[str, Any]) -> requests.Response | None:
    """What the test of a camera gives, once a reader is known."""
    answer = mill.post(f"{ALL}/test", json=given)
    return None if answer.status_code == 504 else answer


def test_the_test_button_shows_one_frame_or_says_why_not(mill: Mill, folder: Path) -> None:
    (folder / "odd").mkdir(exist_ok=True)
    (folder / "odd" / "a.png").write_bytes(cv2.imencode(".png", np.zeros((20, 30, 3), np.uint8))[1].tobytes())
    mill.start("api")
    assert code(mill.post(f"{ALL}/test", json={"address": "odd"})) == (504, "no-reader")
    mill.start("camera")
    frame = wait_for(lambda: trial(mill, {"address": "odd"}), "the reader to be known")
    assert frame.headers["Content-Type"] == "image/jpeg"
    assert cv2.imdecode(np.frombuffer(frame.content, np.uint8), cv2.IMREAD_COLOR).shape == (20, 30, 3)
    failed = mill.post(f"{ALL}/test", json={"address": "http://127.0.0.1:9/"})
    assert code(failed) == (422, "camera-failed")
    assert failed.json()["detail"] == "The camera gave no picture: 127.0.0.1 cannot be reached at port 9."
    mill.post(ALL, json={"name": "yard", "address": "yard"})
    assert mill.post(f"{ALL}/yard/test").content == (folder / "yard" / "0.jpg").read_bytes()
    assert code(mill.post(f"{ALL}/other/test")) == (404, "unknown-camera")
    mill.kill("camera")
    assert code(mill.post(f"{ALL}/yard/test")) == (504, "no-reader")


def test_a_login_is_used_and_never_told(
    mill: Mill, credentials_file: Path, rtsp_server: Callable[..., str], couchdb_url: str, couchdb_prefix: str
) -> None:
    server = rtsp_server("-", USER, PASSWORD)
    given = {"address": f"rtsp://{server}/cam", "frames_per_second": 5}
    mill.start("api", "camera", camera_credentials_file=credentials_file, camera_test_seconds=55)
    answers = [mill.get(ALL)]
    assert answers[0].json()["credentials"] == ["cam-1", "elsewhere", "wrong"]
    frame = wait_for(lambda: trial(mill, given | {"credentials": "cam-1"}), "the reader to be known")
    assert frame.content.startswith(b"\xff\xd8"), frame.text
    for credentials, words in (
        (None, "asks for a user and a password"),
        ("wrong", "wrong path, user or password"),
        ("elsewhere", "are not for rtsp://127.0.0.1"),
        ("unknown", "are not in the credentials file"),
    ):
        answers.append(mill.post(f"{ALL}/test", json=given | {"credentials": credentials}))
        assert words in answers[-1].json()["detail"]
    for name in ("cam-1", "wrong", "elsewhere"):
        answers.append(mill.post(ALL, json=given | {"name": name, "credentials": name}))
    wait_for(lambda: status(mill, "cam-1")["state"] == "live", "the stream")
    wait_for(lambda: "are not for" in str(status(mill, "elsewhere")["problem"]), "the reason")
    wait_for(lambda: "user or password" in str(status(mill, "wrong")["problem"]), "the reason")
    answers += [mill.get(ALL), mill.get(f"{ALL}/cam-1")]
    mill.stop("camera")
    told = [answer.text for answer in answers] + [file.read_text() for file in mill.folder.glob("*.log")]
    told.append(everything_stored(couchdb_url, couchdb_prefix))
    assert "cam-1" in told[-1]
    assert not [text for text in told if "hunter2" in text]


def everything_stored(couchdb_url: str, prefix: str) -> str:
    names = requests.get(f"{couchdb_url}/_all_dbs", timeout=30).json()
    bodies = [
        requests.get(f"{couchdb_url}/{name}/_all_docs", params={"include_docs": "true"}, timeout=30).json()
        for name in names
        if name.startswith(prefix)
    ]
    return json.dumps(bodies)


def test_pictures_posted_with_a_source_are_frames_without_a_number(mill: Mill, eyes: Eyes) -> None:
    mill.start("api", "writer")
    first, second = photo_jpeg(96, 64, 1), photo_jpeg(96, 64, 2)
    mill.accepted(first, second, source="door-bell")
    mill.accepted(photo_jpeg(96, 64, 3))
    frames = wait_for(lambda: (found := eyes.of("door-bell"))[1:] and found, "both")
    assert [(frame.data, frame.sequence) for frame in frames] == [(first, None), (second, None)]
    assert frames[0].at < frames[1].at
    assert {frame.source for frame in eyes.frames} == {"door-bell"}
