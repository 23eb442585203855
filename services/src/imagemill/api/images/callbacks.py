"""`callback=` and `batch_callback=`: which receiver an upload wants to be told of its outcomes.

A receiver is named, never addressed: who uploads must not be able to make a program inside the network send requests to
wherever he likes, and what is sent is signed with a secret that only the administrator's file has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from imagemill.api.services import Services
from imagemill.api.web.problems import Problem
from imagemill.store.alerts import AlertStore


@dataclass(frozen=True)
class Callbacks:
    """Who is told of each picture's outcome, and who when the batch is complete."""

    image: str | None = None
    batch: str | None = None


NO_CALLBACKS = Callbacks()


def callbacks_of(mill: Services, given: Mapping[str, str]) -> Callbacks:
    """The receivers that a request names; raises Problem for one that takes no callbacks, or StoreUnavailable."""
    wanted = Callbacks(given.get("callback") or None, given.get("batch_callback") or None)
    if wanted == NO_CALLBACKS:
        return wanted
    known = sorted(one.name for one in AlertStore(mill.stores.couch).channels() if one.callback)
    for name in filter(None, (wanted.image, wanted.batch)):
        if name not in known:
            said = f"there are {', '.join(known)}" if known else "there is none"
            detail = f"No receiver {name!r} takes callbacks; {said}. An administrator allows one in the channels file."
            raise Problem(400, "unknown-callback", detail)
    return wanted
