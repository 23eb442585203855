"""The eraser's announcement, and how programs follow it: one small document, and one more for each round's hashes."""

import threading
import time
from collections.abc import Callable, Iterable

from imagemill.domain.purging import PurgePlan, PurgeRound, PurgeTimes, PurgeView
from imagemill.store.couch import Couch, Document, StoreUnavailable
from imagemill.store.ledger_views import REFERENCES_LAYOUT

_ROUND = "purging"
_INDEX = f"purging-index:{REFERENCES_LAYOUT}"


class BeingPurged(StoreUnavailable):
    """Bytes that are being removed at this moment: in a few minutes they can be stored anew."""


class Purges:
    """The round that goes on. Read by asking a majority of nodes; written by who has the lease of it."""

    def __init__(self, couch: Couch) -> None:
        self._state = couch.database("state")

    def current(self) -> PurgeRound | None:
        """The round that goes on; raises StoreUnavailable."""
        document = self._state.get(_ROUND)
        return PurgeRound.model_validate(document) if document else None

    def plan(self, round_id: str) -> PurgePlan | None:
        """What a round is about; None when it is over."""
        document = self._state.get(_plan_id(round_id))
        return PurgePlan.model_validate(document) if document else None

    def note_index(self) -> None:
        """Note that the index of who needs which bytes was built: from now on to ask it is quick."""
        self._state.bulk([{"_id": _INDEX}])

    def has_index(self) -> bool:
        """Was that noted?"""
        return self._state.get(_INDEX) is not None

    def announce(self, going: PurgeRound, plan: PurgePlan) -> None:
        """Begin a round; raises Conflict when there is one."""
        self._state.put({"_id": _plan_id(going.id), **plan.model_dump(mode="json")})
        self._state.put({"_id": _ROUND, **going.model_dump(mode="json")})

    def note_removing(self, going: PurgeRound) -> None:
        """Its bytes are about to go; raises Conflict when somebody else has the round."""
        self._state.put({**self._document(going), "is_removing": True})

    def note_gone(self, going: PurgeRound) -> None:
        """Its bytes are gone; raises Conflict when somebody else has the round."""
        self._state.put({**self._document(going), "are_gone": True})

    def end(self, going: PurgeRound) -> None:
        """Take the announcement back; raises Conflict when somebody else has the round."""
        document = self._document(going)
        self._state.remove(_ROUND, str(document["_rev"]))
        plan = self._state.get(_plan_id(going.id))
        if plan is not None:
            self._state.remove(_plan_id(going.id), str(plan["_rev"]))

    def _document(self, going: PurgeRound) -> Document:
        document = self._state.get(_ROUND)
        if document is None or document["id"] != going.id:
            raise StoreUnavailable("the round of erasing that went on is another one now")
        return document


class PurgeWatch:
    """What this program knows of it; safe to use from many threads. Call `refresh` again and again."""

    def __init__(self, couch: Couch, times: PurgeTimes, clock: Callable[[], float] = time.monotonic) -> None:
        self._purges, self._clock, self._lock = Purges(couch), clock, threading.Lock()
        # The view and the id of its round belong together: many threads read and replace them.
        self._known = PurgeView(times), ""
        self.refresh_seconds = times.known_for / 2

    def now(self) -> float:
        """The time at which bytes are seen, or stored, from now on."""
        return self._clock()

    def refresh(self) -> None:
        """Ask; raises StoreUnavailable."""
        asked_at = self._clock()
        view, known_round = self._known
        going = self._purges.current()
        if going is None:
            round_id, names = "", None
        elif going.id == known_round:
            round_id, names = going.id, view.announced
        else:
            round_id, names = going.id, frozenset(self._names(going))
        with self._lock:
            view, _ = self._known
            # Of answers that overtook each other the one to the last question counts.
            if asked_at >= view.known_at:
                self._known = view.after(names, asked_at), round_id

    def being_purged(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the hashes whose bytes are being removed. Raises StoreUnavailable when that is not known."""
        view, _ = self._known
        if not view.is_known(self._clock()):
            self.refresh()
            view, _ = self._known
            # An answer that took long tells what was announced when it was asked for, not what is now.
            if not view.is_known(self._clock()):
                raise StoreUnavailable("CouchDB takes too long to tell whether bytes are being erased")
        return view.announced & frozenset(names)

    def check(self, names: Iterable[str], seen_at: float) -> None:
        """Raise BeingPurged unless the bytes are there to stay: they were seen, or stored, since `seen_at`."""
        if gone := self.being_purged(names):
            raise BeingPurged(
                f"What has the hash {min(gone)[:12]}… is being erased; it can come again in a few minutes"
            )
        view, _ = self._known
        if not view.may_rely_on(seen_at, self._clock()):
            raise BeingPurged(
                "It took so long that bytes that were there may have been erased; it can come again at once"
            )

    def _names(self, going: PurgeRound) -> list[str]:
        plan = self._purges.plan(going.id)
        if plan is None:
            raise StoreUnavailable("a round of erasing has ended in this moment")
        return plan.names


def _plan_id(round_id: str) -> str:
    return f"{_ROUND}:{round_id}"
