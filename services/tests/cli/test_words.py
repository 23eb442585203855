"""Pure parts: words, files, events."""

import subprocess
import sys
from pathlib import Path

import pytest

from imagemill.cli import say
from imagemill.cli.client import busy_pause_seconds
from imagemill.cli.files import File, find, groups, portions
from imagemill.cli.sse import events
from imagemill.cli.watching import complete


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1024, "1.0 kB"), (275748, "276 kB"), (999_600, "1.0 MB"),
     (16 * 1024 * 1024, "16.8 MB"), (5_300_000_000, "5.3 GB")],
)  # fmt: skip
def test_sizes_have_a_unit_that_fits(count: int, said: str) -> None:
    assert say.size(count) == said


def test_a_trace_tells_the_milliseconds_between_its_marks() -> None:
    steps = [
        {"step": "accepted", "at": "2026-11-21T09:15:02.213Z", "by": "api-1", "attempt": 1},
        {"step": "taken", "at": "2026-11-21T09:15:03.230Z", "by": "worker-1", "attempt": 2},
    ]
    assert say.trace(steps) == [
        ("accepted", "09:15:02.213", "", "api-1"),
        ("taken", "09:15:03.230", "+1,017 ms", "worker-1, attempt 2"),
    ]
    assert say.took(steps) == "1,017 ms from accepted to taken"


def test_without_its_extra_the_command_says_how_to_install_it() -> None:
    without = "import sys; sys.modules['typer'] = None; from imagemill.cli.__main__ import main; main()"
    ended = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: The command line is an extra: ")
    assert ended.stderr.count("\n") == 1


def test_groups_keep_all_threads_busy() -> None:
    files = [File(Path(f"{n}.jpg"), 1) for n in range(90)]
    assert [len(group) for group in groups(files, 3, 500)] == [30, 30, 30]
    assert [len(group) for group in groups(files, 16, 500)] == [20, 20, 20, 20, 10]
    assert [len(group) for group in groups(files, 1, 50)] == [50, 40]
    assert groups([], 4, 500) == []


def test_a_file_of_a_watched_folder_is_sent_once_it_does_not_change(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    assert complete({}, {path: (5, 1)}, {}) == []
    assert complete({path: (4, 1)}, {path: (5, 2)}, {}) == []
    assert [file.path for file in complete({path: (5, 2)}, {path: (5, 2)}, {})] == [path]
    assert complete({path: (5, 2)}, {path: (5, 2)}, {path: (5, 2)}) == []
    assert complete({path: (0, 2)}, {path: (0, 2)}, {}) == []


def test_portions_keep_both_limits_and_the_order() -> None:
    files = [File(Path(f"{n}.jpg"), size) for n, size in enumerate([5, 5, 5, 30, 1, 1, 1, 1])]
    assert [[file.size_bytes for file in portion] for portion in portions(files, 3, 12)] == [
        [5, 5], [5], [30], [1, 1, 1], [1],
    ]  # fmt: skip


def test_a_file_that_is_named_twice_is_sent_once(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "link.jpg").symlink_to("a.jpg")
    found = find([str(tmp_path / "a.jpg"), str(tmp_path), str(tmp_path / "*.jpg")], recursive=False)
    assert [file.name for file in found.files] == ["a.jpg"]


def test_a_file_with_magic_characters_in_its_name_is_itself(tmp_path: Path) -> None:
    (tmp_path / "a[1].jpg").write_bytes(b"a")
    assert [file.name for file in find([str(tmp_path / "a[1].jpg")], recursive=False).files] == ["a[1].jpg"]


def test_named_files_are_sent_whatever_their_ending(tmp_path: Path) -> None:
    (tmp_path / "camera").write_bytes(b"a")
    assert find([str(tmp_path / "camera")], recursive=False).passed_over == 0
    assert find([str(tmp_path)], recursive=False).passed_over == 1


def test_events_are_read_as_the_standard_says() -> None:
    lines = [
        ": ping",
        "",
        "retry: 3000",
        "",
        "event: a",
        'data: {"x":',
        "data: 1}",
        "",
        "data: no json",
        "",
        "event: b",
    ]
    assert list(events(lines)) == [("a", {"x": 1})]


@pytest.mark.parametrize(
    ("header", "least", "most"), [("5", 5, 7.5), ("86400", 30, 45), ("soon", 0, 1), ("-1", 0, 1), ("nan", 0, 45)]
)
def test_pauses_are_what_the_server_asks_for_within_bounds(header: str, least: float, most: float) -> None:
    assert least <= busy_pause_seconds({"Retry-After": header}, 1) <= most


def test_the_command_line_loads_neither_database_nor_broker_nor_another_program() -> None:
    code = "import sys, imagemill.cli.app; print(*(n for n in sys.modules if n.split('.')[0] in ('pika', 'ibmcloudant'"
    code += ", 'flask', 'cv2', 'pydantic') or n.startswith('imagemill.')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30).stdout
    # What rules and their values are called in words is decided there, without I/O.
    own = ("imagemill.cli", "imagemill.alerting")
    rooms = ("imagemill.concurrency", "imagemill.domain")
    others = [name for name in loaded.split() if not name.startswith(own) and name not in rooms]
    waits = ["imagemill.concurrency.heartbeat", "imagemill.concurrency.retry"]
    assert sorted(others) == [*waits, *(f"imagemill.domain.{name}" for name in ("errors", "ids", "names"))]
