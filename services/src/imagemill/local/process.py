"""Child processes that never outlive the one that started them."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO


def private_file(path: Path, text: str) -> Path:
    """Writes a file that only its owner may read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return path


def private_folder(path: Path) -> None:
    """Make a folder, and what is made by this process and its children from now on, for its owner alone.

    One that was there before becomes so too, unless it is somebody else's or everybody's (`/tmp`).
    """
    os.umask(0o077)
    path.mkdir(parents=True, exist_ok=True)
    found = path.stat()
    if found.st_uid == os.getuid() and not found.st_mode & stat.S_ISVTX:
        path.chmod(0o700)


def start_child(
    command: Sequence[str], *, environment: Mapping[str, str], output: IO[bytes] | int, folder: Path | None = None
) -> "subprocess.Popen[bytes]":
    """Starts a process in a session of its own, so that Ctrl-C reaches only its supervisor.

    The kernel kills it when the thread that called this ends in whatever way: call it from the main thread.
    """
    return subprocess.Popen(  # noqa: S603 (the commands are this package's own)
        [*_tied_to_parent(), *command],
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _tied_to_parent() -> list[str]:
    """Util-linux's setpriv asks the kernel for the signal; elsewhere children end only when they are stopped.

    A parent that was gone before setpriv asked sends no signal: the shell looks, once the kernel has been asked,
    whether the parent is still there, and only then becomes the command.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    return [setpriv, "--pdeathsig", "KILL", "--", "sh", "-c", '[ "$PPID" -eq "$0" ] && exec "$@"', str(os.getpid())]


def stop_child(process: "subprocess.Popen[bytes]", patience_seconds: float) -> bool:
    """SIGTERM, and SIGKILL after `patience_seconds`; whether the first was enough."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        kill_child(process)
        return False
    return True


def kill_child(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to the process and to whatever it started in its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def last_lines(path: Path, count: int = 5) -> str:
    """The end of a log file, for an error message; empty when there is none."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join([line.rstrip() for line in lines if line.strip()][-count:])
