"""The clock of each program, which can be wrong: by libfaketime, where it is installed."""

import random
from pathlib import Path

_LIBRARIES = ("/usr/lib", "/usr/local/lib")


class Clock:
    """One program's. Its monotonic clock stays right, as where a clock is set or corrected."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip

    def set(self, ahead_seconds: int) -> None:
        """So far from the true time, from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ahead_seconds:+d}s\n")
        fresh.rename(self._file)


def library() -> Path | None:
    """libfaketime, if it is installed."""
    found = [path for folder in _LIBRARIES for path in Path(folder).glob("**/faketime/libfaketimeMT.so.1")]
    return found[0] if found else None


def drawn(chance: random.Random) -> int:
    """Seconds by which a clock may be wrong: up to an hour, often little, at times right again."""
    return chance.choice([0, 0, 2, -2, 30, -30, 600, -600, 3600, -3600])
