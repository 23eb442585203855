"""Requests that wait for what becomes of a picture."""

import contextlib
import time
from concurrent.futures import TimeoutError as FutureTimeout

from imagemill.api.services import Services
from imagemill.api.web.problems import Problem, revoked_meanwhile
from imagemill.domain.images import Outcome
from imagemill.store.couch import StoreUnavailable

_ASK_AGAIN_SECONDS = 2.0


def wait_seconds_of(mill: Services, text: str) -> float:
    """How long somebody wants to wait; raises Problem."""
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = -1.0
    limit = mill.settings.max_wait_seconds
    if not 0 <= seconds <= limit:
        raise Problem(400, "bad-wait", f"wait={text} is not possible; use seconds from 0 to {limit:g}.")
    return seconds


def outcome_within(mill: Services, image_id: str, wait_seconds: float) -> tuple[Outcome, bytes | None] | None:
    """The outcome, with the result's bytes if they came along; None when it takes longer, or too many wait already.

    It may be there before anybody listens, and news are lost with a connection: the ledger is asked now and then, and
    at the end. Raises StoreUnavailable when it cannot be asked at the end.
    """
    deadline, still_allowed = time.monotonic() + wait_seconds, mill.guard.still_allowed()
    with mill.hub.waiting_for(image_id) as future:
        while future and (remaining := deadline - time.monotonic()) > 0:
            with contextlib.suppress(StoreUnavailable):
                if outcome := _outcome_in_ledger(mill, image_id):
                    return outcome, None
            with contextlib.suppress(FutureTimeout):
                return future.result(timeout=min(remaining, _ASK_AGAIN_SECONDS))
            if not still_allowed():
                raise revoked_meanwhile()
        outcome = _outcome_in_ledger(mill, image_id)
        return (outcome, None) if outcome else None


def _outcome_in_ledger(mill: Services, image_id: str) -> Outcome | None:
    return mill.stores.ledger.outcomes([image_id]).get(image_id)
