"""Touch with the others: this reader's own beat, and which readers are seen alive, by this process's own clock."""

import time
from collections.abc import Callable
from dataclasses import replace

from imagemill.store.camera_leases import Reader, ReadingStates, View
from imagemill.store.couch import Conflict

# What a reader holds ends for itself before anybody else may think that it is gone.
_OWN_SHARE = 0.8
# Documents of readers which have been gone for as many leases are removed.
_FORGOTTEN_AFTER = 10


class Heartbeat:
    """Beats, and watches the beats of others."""

    def __init__(
        self, states: ReadingStates, me: Reader, lasts_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._states, self.me, self._lasts, self._clock = states, me, lasts_seconds, clock
        self._until = float("-inf")
        # Must everything be taken again? Only a whole round ends that: the one before may have failed half-way.
        self.incomplete = True
        self._seen: dict[str, tuple[str, float]] = {}

    @property
    def held(self) -> bool:
        """Is everything that was taken still held? Ends before any other reader can take it."""
        return self._clock() < self._until

    @property
    def may_send(self) -> bool:
        """Is everything that is read held, as far as anybody could know?"""
        return self.held and not self.incomplete

    def beat(self, now: float) -> bool:
        """Renew everything; False when touch was lost before, so that everything must be taken again."""
        began, unbroken = self._clock(), self.held
        self.incomplete = self.incomplete or not unbroken
        try:
            revision = self._states.beat(replace(self.me, at=now))
        except Conflict:
            # Somebody forgot this reader, or an answer was lost. Anew, and nothing is held.
            self.incomplete = True
            self.me = replace(self.me, revision=self._revision_there())
            revision, unbroken = self._states.beat(replace(self.me, at=now)), False
        self.me = replace(self.me, revision=revision)
        self._until = began + _OWN_SHARE * self._lasts
        return unbroken

    def alive(self, view: View) -> dict[str, int]:
        """Capacities of the readers whose beat was seen; a reader that is seen for the first time counts as alive."""
        self._watch(view)
        now = self._clock()
        fresh = {reader for reader, (_, at) in self._seen.items() if now - at <= self._lasts}
        known = {reader.id: reader.capacity for reader in view.readers.values() if reader.id in fresh}
        # One that holds leases, but whose own document is not seen yet: it gets nothing, and nothing is taken from it.
        return dict.fromkeys(fresh, 0) | known | {self.me.id: self.me.capacity}

    def gone(self, view: View) -> list[Reader]:
        """Readers that have been silent for so long that nobody needs to know of them."""
        limit = self._clock() - _FORGOTTEN_AFTER * self._lasts
        return [reader for reader in view.readers.values() if self._seen[reader.id][1] < limit]

    def leave(self) -> None:
        """Says goodbye, so that nobody waits."""
        self._until = float("-inf")
        self._states.leave(self.me)

    def _watch(self, view: View) -> None:
        holders = {lease.holder for lease in view.leases.values() if lease.holder} - {self.me.id}
        revisions = dict.fromkeys(holders, "") | {reader.id: reader.revision for reader in view.readers.values()}
        now = self._clock()
        self._seen = {
            reader: self._seen[reader] if self._seen.get(reader, ("?",))[0] == revision else (revision, now)
            for reader, revision in revisions.items()
        }

    def _revision_there(self) -> str:
        found = self._states.view().readers.get(self.me.id)
        return found.revision if found else ""
