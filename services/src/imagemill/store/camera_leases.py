"""Who reads which camera, and how it is: small documents in the database of states.

A reader's own document is written anew all the time, and so renews everything the reader holds at once: a lease is
free when its holder's document has not changed for as long as leases last, by the observer's own clock. Leases
themselves change only when a camera changes hands or state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagemill.store.cameras import MOST_CAMERAS
from imagemill.store.couch import Conflict, Couch, Document, StoreUnavailable

_LEASE = "camera:lease:"
_READER = "camera:reader:"
_BEFORE, _AFTER = "camera:", "camera:\ufff0"


@dataclass(frozen=True)
class CameraLease:
    """One camera's reading.

    `generation` grows whenever the camera is taken. `state` and `problem` are the feed's, since `since`; `down_since`
    is when the camera stopped being live, `alerted` whether that is known as an event. `ended` is the camera's
    revision whose file was played to its end.
    """

    camera: str
    holder: str | None = None
    generation: int = 0
    state: str = "unassigned"
    problem: str | None = None
    since: float = 0.0
    down_since: float | None = None
    alerted: bool = False
    ended: str | None = None
    revision: str = field(default="", compare=False)


_MEMBERS = (
    "holder", "generation", "state", "problem", "since", "down_since", "alerted", "ended",
)  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """A reader as it tells of itself; `at` is its own clock and only for people."""

    id: str
    capacity: int
    at: float
    revision: str = ""


@dataclass(frozen=True)
class View:
    """Everything, as it was read at once."""

    leases: Mapping[str, CameraLease]
    readers: Mapping[str, Reader]


class ReadingStates:
    """The documents. Every method may raise StoreUnavailable."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database("state")

    def view(self) -> View:
        """All leases and readers in one request."""
        documents = self._database.documents(_BEFORE, _AFTER, 2 * MOST_CAMERAS)
        leases = [_lease(document) for document in documents if document["_id"].startswith(_LEASE)]
        readers = [_reader(document) for document in documents if document["_id"].startswith(_READER)]
        return View({lease.camera: lease for lease in leases}, {reader.id: reader for reader in readers})

    def beat(self, reader: Reader) -> str:
        """Renews a reader's document; its new revision. Raises Conflict when somebody removed it."""
        document: Document = {"_id": _READER + reader.id, "capacity": reader.capacity, "at": reader.at}
        return self._database.put(document | ({"_rev": reader.revision} if reader.revision else {}))

    def write(self, leases: Sequence[CameraLease], remove: Sequence[CameraLease] = ()) -> frozenset[str]:
        """Writes and removes leases in one request; the cameras with which it was done before anybody else did."""
        documents = [_document(lease) for lease in leases]
        documents += [_revision_of(_LEASE + lease.camera, lease.revision) | {"_deleted": True} for lease in remove]
        errors = self._database.bulk(documents)
        for error in errors:
            if error not in (None, "conflict"):
                raise StoreUnavailable(f"CouchDB did not take a camera's lease: {error}")
        cameras = [lease.camera for lease in (*leases, *remove)]
        return frozenset(camera for camera, error in zip(cameras, errors, strict=True) if error is None)

    def remove_readers(self, readers: Sequence[Reader]) -> None:
        """Forgets readers; whoever came back meanwhile stays."""
        self._database.bulk([_revision_of(_READER + one.id, one.revision) | {"_deleted": True} for one in readers])

    def leave(self, reader: Reader) -> None:
        """Forgets a reader that ends."""
        try:
            self._database.remove(_READER + reader.id, reader.revision)
        except Conflict:
            return


def _lease(document: Mapping[str, Any]) -> CameraLease:
    members = {name: document[name] for name in _MEMBERS if name in document}
    return CameraLease(camera=document["_id"].removeprefix(_LEASE), revision=document["_rev"], **members)


def _document(lease: CameraLease) -> Document:
    return _revision_of(_LEASE + lease.camera, lease.revision) | {name: getattr(lease, name) for name in _MEMBERS}


def _revision_of(document_id: str, revision: str) -> Document:
    return {"_id": document_id} | ({"_rev": revision} if revision else {})


def _reader(document: Mapping[str, Any]) -> Reader:
    return Reader(
        document["_id"].removeprefix(_READER), int(document["capacity"]), float(document["at"]), document["_rev"]
    )
