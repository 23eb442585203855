"""What people changed, month by month: who, when, what, and what it was before. Entries are never changed."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from imagemill.domain.ids import made_at, timestamp, uuid7
from imagemill.store.couch import Couch, Missing
from imagemill.store.months import Months, month_at

KIND = "audit"
# Ids begin with the time: those that sort behind all digits are no entries, but the database's own documents.
_BEHIND_DIGITS = ":"


class AuditEntry(BaseModel):
    """A change by a person. `before` and `after` hold what changed, without secrets.

    `account`: `token` and its id, or `single sign-on`, whose users may have a token's name; empty without logins.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    at: str
    by: str
    account: str = ""
    role: str
    action: str
    subject: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class AuditStore:
    """The databases `audit-2026-11`."""

    def __init__(self, couch: Couch) -> None:
        self._months = Months(couch, KIND)

    def prepare(self) -> None:
        """Make the databases of these months exist."""
        self._months.prepare()

    def add(
        self, by: str, role: str, action: str, subject: str, account: str = "", **change: dict[str, Any] | None
    ) -> AuditEntry:
        """Write an entry; raises StoreUnavailable."""
        made = uuid7()
        at = made_at(made)
        entry = AuditEntry(
            id=made, at=timestamp(at), by=by, account=account, role=role, action=action, subject=subject,
            before=change.get("before"), after=change.get("after"),
        )  # fmt: skip
        database = self._months.database(month_at(at))
        document = {"_id": made, **entry.model_dump(mode="json", exclude={"id"})}
        try:
            database.put(document)
        except Missing:
            database.create()
            database.put(document)
        return entry

    def newest_first(self, limit: int, before: str | None = None) -> Iterator[AuditEntry]:
        """Entries, newest first, from the one before the id `before`."""
        left = limit
        for month in reversed(self._months.there()):
            if left <= 0 or (before and month > month_at(made_at(before))):
                continue
            start = before or _BEHIND_DIGITS
            documents = self._months.database(month).documents(start, "", left + 1, descending=True)
            for document in documents:
                if document["_id"] != before and left > 0:
                    left -= 1
                    yield AuditEntry(id=document["_id"], **{k: v for k, v in document.items() if k[0] != "_"})
