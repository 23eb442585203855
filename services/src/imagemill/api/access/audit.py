"""What people change is written down: who, when, what, and what it was before."""

from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from flask import g, has_request_context
from prometheus_client import Counter

from imagemill.api.access.permissions import EVERYBODY
from imagemill.domain.access import Principal
from imagemill.store.audit import AuditStore
from imagemill.store.couch import StoreUnavailable

log = structlog.get_logger(__name__)
LOST = Counter("imagemill_audit_lost", "Changes by people that are in the log but could not be written to the audit")
Change = Mapping[str, Any] | None


class Recorder(Protocol):
    """Writes down a change that was made."""

    def __call__(self, action: str, subject: str, before: Change = None, after: Change = None) -> None:
        """`camera.change`, `front-door`, what changed as it was, and as it is now."""


def recorder(store: AuditStore) -> Recorder:
    """A recorder of what whoever makes the present request does."""

    def record(action: str, subject: str, before: Change = None, after: Change = None) -> None:
        who: Principal = (g.get("principal") if has_request_context() else None) or EVERYBODY
        was, now = differences(before, after)
        # In the log in any case: the change is made, and no failure to write it down undoes it.
        log.info("changed", by=who.name, account=account_of(who), role=who.role, action=action, subject=subject)
        try:
            store.add(who.name, who.role, action, subject, account=account_of(who), before=was, after=now)
        except StoreUnavailable as error:
            LOST.inc()
            log.error("a change is not in the audit", action=action, subject=subject, error=str(error))

    return record


def account_of(who: Principal) -> str:
    """What tells a token from a user of the same name; nothing where nobody logs in."""
    if who is EVERYBODY:
        return ""
    return f"token {who.token_id}" if who.token_id else "single sign-on"


def differences(before: Change, after: Change) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Of two states only what is not the same in both.

    >>> differences({"name": "a", "fps": 1}, {"name": "a", "fps": 2})
    ({'fps': 1}, {'fps': 2})
    """
    if before is None or after is None:
        return (dict(before) if before is not None else None), (dict(after) if after is not None else None)
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {n: before[n] for n in changed if n in before}, {n: after[n] for n in changed if n in after}
