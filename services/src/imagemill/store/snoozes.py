"""Snoozes: nobody is told for a while. Each is a document, and so is its early end."""

import contextlib
from dataclasses import dataclass

from imagemill.alerting.judge import Snooze
from imagemill.alerting.records import snooze_document, snooze_id, snooze_of
from imagemill.store.couch import Conflict, Couch
from imagemill.store.rules import DATABASE

LONGEST_SECONDS = 30 * 86400.0
MOST_SNOOZES = 1000
_SNOOZE, _END = "snooze:", "snooze-end:"


@dataclass(frozen=True)
class Named:
    """A snooze, who made it, and the id by which it is ended."""

    id: str
    by: str
    snooze: Snooze


class Snoozes:
    """Those of one installation."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database(DATABASE)

    def add(self, snooze: Snooze, by: str) -> Named:
        """Begin one."""
        doc_id = snooze_id(snooze.since, by)
        with contextlib.suppress(Conflict):  # the same person in the same millisecond: the same click
            self._database.put({"_id": doc_id, **snooze_document(snooze, by)})
        return Named(doc_id.removeprefix(_SNOOZE), by, snooze)

    def end(self, named: str, at: float) -> bool:
        """Ends one early; False when there is none of that id."""
        if self._database.get(_SNOOZE + named) is None:
            return False
        with contextlib.suppress(Conflict):  # it has ended already
            self._database.put({"_id": _END + named, "type": "snooze-end", "at": at})
        return True

    def lasting(self, now: float) -> list[Named]:
        """Those which last now, newest first; of two about the same that were begun at once only the newer."""
        oldest = f"{_SNOOZE}{round((now - LONGEST_SECONDS) * 1000):013d}"
        documents = self._database.documents(f"{_SNOOZE}\ufff0", oldest, MOST_SNOOZES, descending=True)
        ends = self._database.get_many([_END + d["_id"].removeprefix(_SNOOZE) for d in documents])
        named: list[Named] = []
        for document in documents:
            identifier = document["_id"].removeprefix(_SNOOZE)
            ended = ends.get(_END + identifier)
            snooze = snooze_of(document, ended["at"] if ended else None)
            if snooze.since <= now < snooze.until and not any(snooze.has_scope_of(one.snooze) for one in named):
                named.append(Named(identifier, str(document["by"]), snooze))
        return named
