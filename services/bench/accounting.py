"""What groups of processes used: CPU time and bytes written, of those that ended in between too."""

import contextlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.surroundings import tree_of

_TICKS_PER_SECOND = 100  # what Linux shows in /proc, whatever the kernel counts in
_SAMPLE_SECONDS = 0.5


@dataclass(frozen=True)
class Usage:
    """CPU seconds (user and system) and bytes handed to disks."""

    cpu_seconds: float = 0
    written_bytes: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_seconds + other.cpu_seconds, self.written_bytes + other.written_bytes)

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_seconds - other.cpu_seconds, self.written_bytes - other.written_bytes)


Readings = Mapping[int, Usage]


def spent(before: Readings, last: Readings) -> Usage:
    """What was used between; a process that is not in `before` started at nothing."""
    return sum((usage - before.get(pid, Usage()) for pid, usage in last.items()), Usage())


def parsed(stat: str, io: str) -> Usage:
    """From the texts of /proc/PID/stat (all threads, ended ones too) and /proc/PID/io."""
    fields = stat.rpartition(")")[2].split()  # the name before it may have blanks and brackets
    written = dict(line.split(": ") for line in io.splitlines()).get("write_bytes", "0")
    return Usage((int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND, int(written))


def readings(roots: Sequence[int]) -> dict[int, Usage]:
    """The usage so far of processes and their descendants; those that end meanwhile are left out."""
    found = {}
    for root in roots:
        with contextlib.suppress(OSError):
            for pid in tree_of(root):
                with contextlib.suppress(OSError):
                    folder = Path(f"/proc/{pid}")
                    found[pid] = parsed((folder / "stat").read_text(), (folder / "io").read_text())
    return found


class Meter:
    """Reads groups of processes until it is stopped, so that what ended counts with what was seen of it last."""

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self._groups = groups
        self._before = {name: readings(roots) for name, roots in groups.items()}
        self._last = {name: dict(found) for name, found in self._before.items()}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, Usage]:
        """What each group used since the beginning."""
        self._stopping.set()
        self._thread.join()
        self._read()
        return {name: spent(self._before[name], last) for name, last in self._last.items()}

    def _run(self) -> None:
        while not self._stopping.wait(_SAMPLE_SECONDS):
            self._read()

    def _read(self) -> None:
        for name, roots in self._groups.items():
            self._last[name].update(readings(roots))
