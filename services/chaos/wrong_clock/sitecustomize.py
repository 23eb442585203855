"""A clock that is wrong by as much as a file says: Python loads this at its start, where PYTHONPATH names the folder.

What the programs ask for the time is wrong then: `time.time`, `time.time_ns`, `datetime.now`. libfaketime does not do:
what it makes of Python's sleeping on the monotonic clock ends the API's server.
"""

import datetime
import mmap
import os
import struct
import time
from pathlib import Path

_AHEAD = struct.Struct("d")


def _install(path: str) -> None:
    with Path(path).open("rb") as file:
        view = mmap.mmap(file.fileno(), _AHEAD.size, prot=mmap.PROT_READ)
    true_time, true_time_ns = time.time, time.time_ns

    def ahead_seconds() -> float:
        return float(_AHEAD.unpack_from(view)[0])

    class Wrong(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Wrong":
            return cls.fromtimestamp(time.time(), tz)

    time.time = lambda: true_time() + ahead_seconds()
    time.time_ns = lambda: true_time_ns() + int(ahead_seconds() * 1e9)
    datetime.datetime = Wrong  # type: ignore[misc]


if "CHAOS_CLOCK" in os.environ:
    _install(os.environ["CHAOS_CLOCK"])
