"""Adds up counters of workers that come and go."""

from collections.abc import Collection, Mapping

FORGET_AFTER_UPDATES = 30
"""A worker that was not seen for so long is gone; until then it may just not have answered."""


class CounterSum:
    """The sum of many workers' counters, which never falls when a worker leaves or starts again.

    >>> done = CounterSum()
    >>> done.update({"a": 5.0})
    0.0
    >>> done.update({"a": 7.0, "b": 1.0}, started={"b"})
    3.0
    >>> done.update({"b": 4.0, "old": 1000.0})
    6.0
    """

    def __init__(self) -> None:
        self._marks: dict[str, tuple[float, int]] = {}
        self._updates = 0
        self.total = 0.0

    def update(self, counters: Mapping[str, float], started: Collection[str] | None = None) -> float:
        """Add what the counters grew by since they were last heard.

        ``started`` names the workers that were started since the last update, heard or not: they began at 0. Any other
        worker that is heard for the first time only sets its mark: nobody knows when it did what it has counted. A
        counter that fell was started again.
        """
        if self._updates:
            self._mark({name: 0.0 for name in started or () if name not in self._marks})
        self.total += sum(self._grown(name, value) for name, value in counters.items())
        self._updates += 1
        self._mark(counters)
        oldest = self._updates - FORGET_AFTER_UPDATES
        self._marks = {name: mark for name, mark in self._marks.items() if mark[1] > oldest}
        return self.total

    def _mark(self, counters: Mapping[str, float]) -> None:
        self._marks.update({name: (value, self._updates) for name, value in counters.items()})

    def _grown(self, name: str, value: float) -> float:
        before = self._marks.get(name, (value, 0))[0]
        return value - before if value >= before else value
