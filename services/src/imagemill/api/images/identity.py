"""Which job a picture is: a new one, or by its key the one that an earlier request made."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imagemill.domain.ids import uuid7
from imagemill.domain.keys import derived_id, digest, is_recent
from imagemill.store.ledger import Ledger

_BATCH = "batch"


@dataclass(frozen=True)
class Identity:
    """What an id is wanted for: a key, None for something new, and what else makes it the same."""

    key: str | None
    purpose: str


class Identities:
    """Finds ids. The ledger remembers the keys of which it cannot be seen that they were made just now."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.time) -> None:
        self._ledger, self._clock = ledger, clock

    def ids(self, wanted: Sequence[Identity]) -> list[str]:
        """Ids for jobs and rejections, the same for the same key and purpose; raises StoreUnavailable."""
        now = self._clock()
        found = {place: uuid7() for place, item in enumerate(wanted) if not item.key}
        derived = {place: derived_id(item.key, item.purpose) for place, item in enumerate(wanted) if item.key}
        found |= {place: made for place, made in derived.items() if made and is_recent(made, now)}
        # A repeat that comes late, or a client whose clock is wrong: did the first request get in?
        late = {place: made for place, made in derived.items() if made and place not in found}
        there = self._ledger.existing_ids(late.values())
        found |= {place: made for place, made in late.items() if made in there}
        unknown = {
            place: digest(item.key, item.purpose)
            for place, item in enumerate(wanted)
            if item.key and place not in found
        }
        remembered = self._ledger.remember_keys({key: uuid7() for key in unknown.values()})
        return [found[place] if place in found else remembered[unknown[place]] for place in range(len(wanted))]

    def batch(self, key: str | None) -> str:
        """A name for the batch of a request that names none, the same for the same key; raises StoreUnavailable."""
        if key is None:
            return uuid7()
        known = digest(key, _BATCH)
        return derived_id(key, _BATCH) or self._ledger.remember_keys({known: uuid7()})[known]
