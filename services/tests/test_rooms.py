"""Tests stand where what they test stands: a room of tests has the name of a package, or is one of those in the map."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src" / "imagemill"
MAP = (HERE.parent / "README.md").read_text("utf-8")
# Rooms which are named for what they show, since several programs, or tools around them, show it together.
OWN = {"development", "faults", "frame_to_alert", "page", "pipeline", "simulated", "support", "webhooks"}
# A program is tested through its API or page too, in a process of its own.
PROGRAMS = {"alerter", "analyzer", "api", "camera", "cli", "journal", "local", "worker", "writer"}
AS_A_PROCESS = re.compile(r"^from (mill|mills|[\w.]*conftest) import ", re.MULTILINE)
# Files that import nothing of their room's package, and why they are there all the same.
_BY_FIXTURE = "the command line is called by the fixture `imagemill`"
WHY = {"cli/test_faults.py": _BY_FIXTURE, "cli/test_manifest.py": _BY_FIXTURE}
FILES = sorted(path.relative_to(HERE) for path in HERE.rglob("test_*.py") if path.parent != HERE)
MIRRORING = [path for path in FILES if path.parts[0] not in OWN]


def rooms() -> set[str]:
    return {path.parts[0] for path in FILES}


def imports(text: str, package: str) -> bool:
    parent, _, name = package.rpartition(".")
    direct = rf"^\s*(from|import) {re.escape(package)}\b"
    return bool(re.search(rf"{direct}|^\s*from {re.escape(parent)} import .*\b{name}\b", text, re.MULTILINE))


@pytest.mark.parametrize("file", MIRRORING, ids=str)
def test_a_file_is_in_the_room_of_what_it_tests(file: Path) -> None:
    room = file.parent
    assert (SOURCE / room).is_dir(), f"there is no package {room}; a room of another name belongs into OWN and the map"
    text = (HERE / file).read_text("utf-8")
    imported = imports(text, ".".join(("imagemill", *room.parts)))
    as_a_process = room.parts[0] in PROGRAMS and AS_A_PROCESS.search(text)
    assert bool(imported or as_a_process) != (str(file) in WHY), (
        f"{file} imports nothing of {room}: move it, or say why"
    )


def test_what_is_said_of_files_is_said_of_files_that_are_there() -> None:
    assert set(WHY) <= set(map(str, FILES))


def test_the_map_names_every_room_of_its_own() -> None:
    assert OWN - {"support"} <= rooms()
    assert set(re.findall(r"`tests/(\w+)/`", MAP)) >= OWN


def test_helpers_are_in_their_room() -> None:
    """Beside the tests lie only what pytest looks for there, and tests of the whole repository."""
    assert {path.name for path in HERE.glob("*.py") if not path.name.startswith("test_")} == {"conftest.py"}
