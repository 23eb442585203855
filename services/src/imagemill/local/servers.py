"""What RabbitMQ and CouchDB have in common when this package runs them."""

import os
import secrets
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from imagemill.local.process import kill_child, last_lines, private_file, stop_child

USER = "imagemill"


class LocalError(Exception):
    """Something that the person at the console must put right; its text is a sentence that says how."""


class LocalServer(ABC):
    """A server as a child process with its state in one folder; start, stop and kill may alternate freely."""

    name: str
    start_timeout_seconds = 120.0
    stop_timeout_seconds = 30.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def user(self) -> str:
        """The one user there is, who may do everything; RabbitMQ's `guest` does not exist."""
        return USER

    @property
    def password(self) -> str:
        """Generated at the first start, kept in the folder for its owner's eyes only."""
        return kept_secret(self.folder / "password")

    @property
    def pid(self) -> int:
        """The process that answers; raises when it was never started or has been stopped."""
        if self._process is None:
            raise LocalError(f"{self.name} is not running.")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there, ready or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def console(self) -> Path:
        """What the process printed since it was started last."""
        return self.folder / "console.log"

    def start(self) -> None:
        """Returns when the server truly answers; otherwise raises LocalError and leaves nothing running."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """The first half of `start`, for who has other things to do meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._killed_on_failure():
            self._process = self._launch()

    def await_ready(self, given_up: Callable[[], bool] = lambda: False) -> None:
        """The second half; returns early when the caller has given up."""
        with self._killed_on_failure():
            self._wait_until_ready(given_up)

    @contextmanager
    def _killed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.kill()
            raise

    def terminate(self) -> None:
        """Asks for an orderly end without waiting for it; `stop` waits."""
        if self._process is not None and self.is_running:
            self._process.terminate()

    def stop(self) -> None:
        """An orderly end; by force when it takes longer than `stop_timeout_seconds`."""
        if self._process is not None:
            stop_child(self._process, self.stop_timeout_seconds)
            self._process = None

    def kill(self) -> None:
        """SIGKILL, as when the machine fails."""
        if self._process is not None:
            kill_child(self._process)
            self._process = None

    def restart(self) -> None:
        """Stops and starts again on the same state and the same ports."""
        self.stop()
        self.start()

    @abstractmethod
    def _launch(self) -> "subprocess.Popen[bytes]": ...

    @abstractmethod
    def _answers(self) -> bool: ...

    def _wait_until_ready(self, given_up: Callable[[], bool]) -> None:
        settled = wait_until(lambda: given_up() or not self.is_running or self._answers(), self.start_timeout_seconds)
        if not settled:
            raise LocalError(f"{self.name} did not answer within {self.start_timeout_seconds:.0f} s.{self._evidence()}")
        if not self.is_running:
            raise LocalError(f"{self.name} ended while it was starting.{self._evidence()}")

    def _evidence(self) -> str:
        lines = last_lines(self.console)
        return f" The end of {self.console}:\n{lines}" if lines else f" {self.console} is empty."


def program(name: str, otherwise: str, rather: Sequence[str] = ()) -> str:
    """The first of `rather` that can be run, else the program of this name on the PATH, else LocalError(otherwise)."""
    found = next((path for path in rather if os.access(path, os.X_OK)), None) or shutil.which(name)
    if found is None:
        raise LocalError(otherwise)
    return found


def wait_until(condition: Callable[[], bool], timeout_seconds: float, every_seconds: float = 0.05) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_seconds)
    return True


def kept_secret(path: Path) -> str:
    """A generated password that stays the same as long as its file does."""
    if not path.exists():
        private_file(path, secrets.token_urlsafe(24))
    return path.read_text()
