"""One supervised process: its output goes to a bounded log, and it is started again when it crashes."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from imagemill.local.plan import Process
from imagemill.local.process import kill_child, start_child

LOG_BYTES = 5_000_000
STEADY_SECONDS = 60.0
"""A process that ran for so long did not crash because it was started: its crashes are counted anew."""
CRASHES_IN_A_ROW = 5
LONGEST_PAUSE_SECONDS = 15.0


def pause_seconds(crashes: int) -> float:
    """How long to wait before the next start, after so many crashes in a row.

    >>> [pause_seconds(crashes) for crashes in (1, 2, 3, 4, 9)]
    [0.5, 1.0, 2.0, 4.0, 15.0]
    """
    return min(LONGEST_PAUSE_SECONDS, 0.5 * 2.0 ** (crashes - 1))


class ManagedProcess:
    """`launch` and everything else that starts or ends the process belongs into the main thread."""

    def __init__(self, process: Process, log: Path, command: Callable[[Process], list[str]] | None = None) -> None:
        self.process = process
        self.log = log
        self.crashes = 0
        self._command = command or _python_module
        self._popen: subprocess.Popen[bytes] | None = None
        self._started = self._not_before = 0.0
        self._pump: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """None when it is not running."""
        return self._popen.pid if self._popen is not None and self._popen.poll() is None else None

    @property
    def age_seconds(self) -> float:
        """Since its last start."""
        return time.monotonic() - self._started

    @property
    def is_hopeless(self) -> bool:
        """It crashed too often in a row."""
        return self.crashes >= CRASHES_IN_A_ROW

    def launch(self) -> None:
        """Starts the process."""
        self._started = time.monotonic()
        self._popen = start_child(
            self._command(self.process), environment=self.process.environment, output=subprocess.PIPE
        )
        if self._popen.stdout is not None:
            self._pump = threading.Thread(target=pump, args=(self._popen.stdout, self.log), daemon=True)
            self._pump.start()

    def crash(self) -> str | None:
        """A sentence when the process has ended since the last call; it then waits for `relaunch_when_due`."""
        code = self._popen.poll() if self._popen is not None else None
        if self._popen is None or code is None:
            return None
        self._close()
        self.crashes = 1 if self.age_seconds > STEADY_SECONDS else self.crashes + 1
        self._not_before = time.monotonic() + pause_seconds(self.crashes)
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{self.process.name} {ended}"

    def relaunch_when_due(self) -> bool:
        """Starts a crashed process again, after its pause."""
        if self._popen is not None or time.monotonic() < self._not_before:
            return False
        self.launch()
        return True

    def terminate(self) -> None:
        """Asks it to end."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.terminate()

    def has_ended(self) -> bool:
        """Whether nothing of it runs any more."""
        return self._popen is None or self._popen.poll() is not None

    def kill(self) -> None:
        """Ends it, and what it started, by force."""
        if self._popen is not None:
            kill_child(self._popen)
            self._close()

    def _close(self) -> None:
        if self._popen is not None and self._popen.stdout is not None and self._pump is not None:
            self._pump.join(5)
            self._popen.stdout.close()
        self._popen = None


def _python_module(process: Process) -> list[str]:
    return [sys.executable, "-m", process.module]


def pump(source: IO[bytes], path: Path, limit_bytes: int = LOG_BYTES) -> None:
    """Copies a process's output to its log; beyond the limit the log becomes `<name>.1`, replacing the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = path.open("ab", buffering=0)
    try:
        while chunk := source.read1(65536):  # type: ignore[attr-defined]
            if log.tell() + len(chunk) > limit_bytes:
                log.close()
                path.replace(path.with_name(path.name + ".1"))
                log = path.open("ab", buffering=0)
            log.write(chunk)
    finally:
        log.close()
