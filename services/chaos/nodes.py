"""The nodes of a database cluster, broken by a command of whoever runs them."""

import random
import subprocess
import time

from chaos.faults import Fault

_TIMEOUT_SECONDS = 120


class Nodes:
    """`COMMAND stop|start|isolate|join NUMBER`, numbers from 1.

    An isolated node goes on and answers its clients, and hears nothing of the others until it joins them again.
    """

    def __init__(self, command: str, count: int) -> None:
        self._command, self._count = command, count

    def faults(self, chance: random.Random) -> list[Fault]:
        """One node at a time: a majority of three stays."""
        number, seconds = chance.randint(1, self._count), chance.uniform(2, 20)
        return [
            Fault(2, "stop a database node", str(number), lambda: self._for(seconds, number, "stop", "start")),
            Fault(4, "isolate a database node", str(number), lambda: self._for(seconds, number, "isolate", "join")),
        ]

    def _for(self, seconds: float, number: int, begin: str, end: str) -> None:
        self._do(begin, number)
        try:
            time.sleep(seconds)
        finally:
            self._do(end, number)

    def _do(self, what: str, number: int) -> None:
        done = subprocess.run(
            [self._command, what, str(number)], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{self._command} {what} {number}: exit code {done.returncode}: {done.stderr.strip()}")
