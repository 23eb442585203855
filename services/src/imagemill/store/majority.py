"""A conflict is only as good as the nodes that tell it: of a CouchDB cluster one that is cut off may be the only one.

Then "it is there already" means: on that node alone, from an earlier write that too few took. So a conflict counts when
a majority took some write a moment ago; else it is asked for one, and what was in conflict is written again.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from imagemill.store.couch_requests import Conflict, NoQuorum

Answer = TypeVar("Answer")
_SEEN_SECONDS = 1.0


class Majority:
    """What is known of a database's nodes. `ask` makes a majority take a write, or raises NoQuorum."""

    def __init__(self, replicas: Callable[[], int], ask: Callable[[], object]) -> None:
        self._count, self._ask = replicas, ask
        self._replicas: int | None = None
        self._seen_at = float("-inf")

    def write(self, attempt: Callable[[], Answer]) -> Answer:
        """Do it; raises Conflict when a majority has it already, and NoQuorum."""
        try:
            answer = self._noted(attempt)
        except Conflict:
            if self.is_there():
                raise
            self.demand()
            answer = self._noted(attempt)
        return answer

    def is_there(self) -> bool:
        """Is it known that a majority answers?"""
        return self.is_alone() or time.monotonic() - self._seen_at <= _SEEN_SECONDS

    def is_alone(self) -> bool:
        """Is there one copy of everything, so that what one node has is all there is?"""
        if self._replicas is None:
            self._replicas = self._count()
        return self._replicas == 1

    def demand(self) -> None:
        """Ask for it; raises NoQuorum."""
        self._noted(self._ask)

    def note(self, took: bool) -> None:
        """A write was taken by a majority, or by fewer."""
        self._seen_at = time.monotonic() if took else float("-inf")

    def _noted(self, attempt: Callable[[], Answer]) -> Answer:
        try:
            answer = attempt()
        except NoQuorum:
            self.note(took=False)
            raise
        self.note(took=True)
        return answer
