"""The clock of each program, which can be wrong."""

import os
import random
import struct
from pathlib import Path

_WRONG_CLOCK = Path(__file__).parent / "wrong_clock"
_AHEAD = struct.Struct("d")


class Clock:
    """One program's. Its monotonic clock stays right, as where a clock is set or corrected."""

    def __init__(self, file: Path) -> None:
        file.write_bytes(_AHEAD.pack(0.0))
        self._file = file
        path = os.pathsep.join([str(_WRONG_CLOCK), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.environment = {"PYTHONPATH": path, "CHAOS_CLOCK": str(file)}

    def set(self, ahead_seconds: float) -> None:
        """So far from the true time, from now on."""
        with self._file.open("r+b") as file:  # the program has this very file in its memory
            file.write(_AHEAD.pack(ahead_seconds))


def drawn(chance: random.Random) -> int:
    """Seconds by which a clock may be wrong: up to an hour, often little, at times right again."""
    return chance.choice([0, 0, 2, -2, 30, -30, 600, -600, 3600, -3600])
