"""The state of sources in CouchDB: JSON and small pictures in one document each, taken over by compare-and-set."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from imagemill.motion import SavedState
from imagemill.store.couch import Couch, Document

_PREFIX = "analyzer:"
_SCAN = 200
_TYPES = {"png": "image/png", "jpg": "image/jpeg"}


@dataclass(frozen=True)
class Saved:
    """A saved state as it was found, with the revision that a newer one replaces."""

    state: SavedState
    revision: str


class StateStore:
    """Saved states by source."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database("state")

    def load(self, source: str) -> Saved | None:
        """The last saved state of a source."""
        document = self._database.get(_PREFIX + source)
        return self._read(document) if document else None

    def save(self, source: str, saved_state: SavedState, revision: str | None) -> str:
        """Replaces that revision; raises Conflict when somebody else has replaced it, then the source is theirs."""
        document: Document = {"_id": _PREFIX + source, "source": source, "state": saved_state.state}
        document |= {"_rev": revision} if revision else {}
        files = {name: (data, _TYPES[name.rpartition(".")[2]]) for name, data in saved_state.files.items()}
        return self._database.put_with_files(document, files)

    def with_open_event(self, last_frame_before: float) -> Iterator[tuple[str, Saved]]:
        """Sources which have an event open and whose last frame is older than that."""
        start = after = _PREFIX
        while True:
            documents = self._database.documents(start, f"{_PREFIX}\ufff0", _SCAN)
            for document in documents:
                if document["_id"] != after and _is_open(document["state"], last_frame_before):
                    saved = self._read(document)
                    if saved:
                        yield str(document["source"]), saved
            if len(documents) < _SCAN:
                return
            start = after = documents[-1]["_id"]

    def _read(self, document: Document) -> Saved | None:
        files = {}
        for name in document.get("_attachments", {}):
            data = self._database.get_attachment(document["_id"], name)
            if data is None:
                return self.load(str(document["source"]))  # replaced between the two reads
            files[name] = data
        return Saved(SavedState(document["state"], files), document["_rev"])


def _is_open(state: dict[str, Any], last_frame_before: float) -> bool:
    return state.get("event") is not None and state["ordering"].get("at", 0.0) < last_frame_before
