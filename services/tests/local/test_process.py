"""Child processes end with whoever started them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from imagemill.local.process import (
    kill_child,
    last_lines,
    private_file,
    private_folder,
    start_child,
    stop_child,
)
from imagemill.local.servers import wait_until

ENVIRONMENT = dict(os.environ)
TIMEOUT_SECONDS = 60
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(300)"
)


def parent_of(child: str, **environment: str) -> "subprocess.Popen[bytes]":
    """A program that starts `child`, tells its process id on a line, and waits."""
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, sys, time; from imagemill.local.process import start_child;"
            "print(start_child(sys.argv[1:], environment=dict(os.environ), output=-3).pid, flush=True);"
            "time.sleep(300)",
            *child.split(),
        ],
        env=ENVIRONMENT | environment,
        stdout=subprocess.PIPE,
    )


def is_gone(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_child_dies_when_its_parent_is_killed() -> None:
    with parent_of("sleep 300") as parent:
        assert parent.stdout is not None
        child = Path(f"/proc/{int(parent.stdout.readline())}")
        assert wait_until(lambda: (child / "comm").read_text() == "sleep\n", TIMEOUT_SECONDS)
        parent.kill()
    assert wait_until(lambda: is_gone(child), TIMEOUT_SECONDS)


def test_child_never_begins_when_its_parent_was_killed_before_the_kernel_was_asked(tmp_path: Path) -> None:
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    slow, go = tmp_path / "setpriv", tmp_path / "go"
    slow.write_text(f'#!/bin/sh\nwhile [ ! -e {go} ]; do sleep 0.05; done\nexec {setpriv} "$@"\n')
    slow.chmod(0o755)
    with parent_of(f"touch {tmp_path}/begun", PATH=f"{tmp_path}:{ENVIRONMENT['PATH']}") as parent:
        assert parent.stdout is not None
        child = Path(f"/proc/{int(parent.stdout.readline())}")
        parent.kill()
    assert not is_gone(child)
    go.touch()
    assert wait_until(lambda: is_gone(child), TIMEOUT_SECONDS)
    assert not (tmp_path / "begun").exists()


def test_stop_is_orderly_when_the_child_obeys(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        child = start_child(["sleep", "300"], environment=ENVIRONMENT, output=log)
    assert stop_child(child, TIMEOUT_SECONDS)
    assert child.returncode == -15


def test_stop_uses_force_when_the_child_does_not_obey(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as log:
        child = start_child([sys.executable, "-c", STUBBORN], environment=ENVIRONMENT, output=log)
    assert wait_until(lambda: last_lines(path) == "up", TIMEOUT_SECONDS)
    assert not stop_child(child, 0.2)
    assert child.returncode == -9


def test_killing_a_child_that_has_ended_is_no_error(tmp_path: Path) -> None:
    child = start_child(["true"], environment=ENVIRONMENT, output=subprocess.DEVNULL)
    child.wait(TIMEOUT_SECONDS)
    kill_child(child)
    assert stop_child(child, 1)


def test_private_file_is_never_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "password"
    path.parent.mkdir()
    path.write_text("old")
    path.chmod(0o644)
    assert private_file(path, "new").read_text() == "new"
    assert path.stat().st_mode & 0o077 == 0


def test_last_lines_leave_out_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("a\n\nb\n \nc\n")
    assert last_lines(path, 2) == "b\nc"
    assert last_lines(tmp_path / "missing") == ""


def test_a_folder_and_what_comes_into_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    before, umask = tmp_path / "home", os.umask(0o022)
    try:
        before.mkdir()
        private_folder(before)
        (before / "log").mkdir()
        (before / "log" / "api.log").write_text("x")
        made = [before, before / "log", before / "log" / "api.log"]
        assert [path.stat().st_mode & 0o777 for path in made] == [0o700, 0o700, 0o600]
        shared = tmp_path / "everybody's"
        shared.mkdir()
        shared.chmod(0o1777)
        private_folder(shared)
        assert shared.stat().st_mode & 0o7777 == 0o1777
    finally:
        os.umask(umask)
