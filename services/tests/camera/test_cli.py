"""`imagemill cameras` before a running API."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import imagemill  # noqa: F401 - a fixture
from fake_api import Ended
from mill import Mill, wait_for

Run = Callable[..., Ended]


def test_a_camera_from_the_shell(
    mill: Mill,
    folder: Path,
    imagemill: Run,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    mill.start("api")

    def run(*arguments: object, **more: bytes) -> Ended:
        return imagemill("--api", mill.url, "cameras", *arguments, **more)

    assert "There is no camera yet" in run("list").err
    added = run("add", "Back yard", "yard", "--fps", "2", "--set", "sensitivity=70", "--once")
    assert (added.code, added.out) == (0, "added      back-yard: Back yard, unassigned\n"), added.err
    assert run("add", "back yard").code == 1

    assert run("edit", "back-yard", "--disable", "--set", "quiet_seconds=9", "--set", "sensitivity=").code == 0
    found = json.loads(run("list", "--json").out)["cameras"][0]
    assert (found["enabled"], found["loop"], found["frames_per_second"], found["motion"]) == (
        False, False, 2.0, {"quiet_seconds": 9},
    )  # fmt: skip
    assert "disabled" in run("list").out
    wrong = run("edit", "back-yard", "--fps", "99")
    assert (wrong.code, "from 0.01 to 30" in wrong.err) == (1, True)

    assert run("test", "back-yard", "-o", "none.jpg").code == 1
    mill.start("camera")
    wait_for(lambda: mill.get("/api/v1/cameras").json()["readers"], "the reader to be known")
    assert run("test", "back-yard").code == 0
    assert Path("back-yard.jpg").read_bytes() == (folder / "yard" / "0.jpg").read_bytes()
    assert "exists" in run("test", "back-yard").err
    failed = run("test", "--address", "nowhere", "-o", "no.jpg")
    assert (failed.code, "does not exist" in failed.err, Path("no.jpg").exists()) == (1, True, False)
    assert run("test").code == 2

    assert run("remove", "back-yard").out == "removed    back-yard\n"
    assert (run("remove", "back-yard").code, "There is no camera" in run("remove", "back-yard").err) == (1, True)
