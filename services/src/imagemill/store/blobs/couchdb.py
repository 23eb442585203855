"""Blobs as attachments of CouchDB."""

from collections.abc import Iterable, Iterator

import structlog

from imagemill.domain.previews import CONTENT_TYPE, NONE, Previews, among, name_of, named
from imagemill.store.blobs.base import Blobs
from imagemill.store.couch import Conflict, Couch, Database, Missing, StoreUnavailable, Unstorable

log = structlog.get_logger(__name__)

_ATTACHMENT = "bytes"
# A database's writes go through one process (one per shard in CouchDB): four databases took twice as many pictures a
# second as one. The number is part of the layout and must not change.
_DATABASES = 4
_FIRST, _LAST = "0", "g"  # around all names
_PAGE = 1000


class CouchBlobs(Blobs):
    """Raw attachment bytes: base64 would cost CouchDB and Python several times as much."""

    def __init__(self, couch: Couch) -> None:
        self._databases = [couch.database(f"blobs-{number}") for number in range(_DATABASES)]

    def prepare(self) -> None:
        """Makes the databases exist."""
        for database in self._databases:
            database.create()

    def put(self, name: str, data: bytes, content_type: str, previews: Previews = NONE) -> bool:
        """Stores, with previews in the same request; tells whether it is new.

        A blob which is already there has the same bytes, and keeps the previews it has.
        """
        try:
            if previews:
                self._put_with(previews, name, data, content_type)
            else:
                self._database_of(name).put_attachment(name, _ATTACHMENT, data, content_type)
        except (Conflict, Missing):
            return self._put_again(name, data, content_type)
        return True

    def _put_again(self, name: str, data: bytes, content_type: str) -> bool:
        """What was refused is there, or was once: where a document was removed an attachment is refused, too."""
        if self._database_of(name).get(name) is not None:
            return False
        try:
            self.replace(name, data, content_type)
        except Conflict as error:
            raise StoreUnavailable(f"blob {name} is being stored by somebody else; it is looked for again") from error
        return True

    def _put_with(self, previews: Previews, name: str, data: bytes, content_type: str) -> None:
        small = {file: (preview, CONTENT_TYPE) for file, preview in named(previews).items()}
        try:
            self._database_of(name).put_with_files({"_id": name}, {_ATTACHMENT: (data, content_type), **small})
        except Unstorable as error:
            log.warning("a result is stored without its previews", blob=name, error=str(error))
            self._database_of(name).put_attachment(name, _ATTACHMENT, data, content_type)

    def preview(self, result: str, of: str) -> bytes | None:
        """The preview that is beside the result, or beside what it shows when it was moved here."""
        found = self._database_of(result).get_attachment(result, name_of(of))
        if found is None and of != result:
            found = self._database_of(of).get_attachment(of, name_of(of))
        return found

    def forget_preview(self, result: str, of: str) -> None:
        """Remove one preview of a document."""
        database = self._database_of(result)
        there = database.get(result)
        if there is not None and there["_attachments"].pop(name_of(of), None) is not None:
            database.put(there)

    def previews_beside(self, name: str) -> Previews:
        """All previews that are stored with a blob."""
        database = self._database_of(name)
        files = (database.get(name) or {}).get("_attachments", {})
        return among({file: database.get_attachment(name, file) for file in files if file != _ATTACHMENT})

    def put_everywhere(self, name: str, data: bytes, content_type: str) -> None:
        """Make sure that a majority of a cluster's nodes has a blob which one of them was seen to have."""
        if self._database_of(name).is_replicated():
            self.put(name, data, content_type)

    def read_unchecked(self, name: str) -> bytes | None:
        """The bytes, whatever they are; None when there is no such blob."""
        return self._database_of(name).get_attachment(name, _ATTACHMENT)

    def content_type(self, name: str) -> str:
        """What a blob is, as it was stored; raises LookupError."""
        document = self._database_of(name).get(name)
        if document is None:
            raise LookupError(f"no blob {name}")
        return str(document["_attachments"][_ATTACHMENT]["content_type"])

    def replace(self, name: str, data: bytes, content_type: str) -> None:
        """Store the bytes in place of whatever is there; previews stay."""
        database = self._database_of(name)
        there = database.get(name) or {}
        kept = {key: value for key, value in there.items() if key in ("_rev", "_attachments")}
        database.put_with_files({"_id": name, **kept}, {_ATTACHMENT: (data, content_type)})

    def remove(self, name: str) -> None:
        """Remove a blob; nothing happens when there is none."""
        database = self._database_of(name)
        # Once more: nodes of a cluster that did not see each other may each have stored a version.
        while (there := database.get(name)) is not None:
            database.remove(name, there["_rev"])

    def listed(self, names: Iterable[str]) -> set[str]:
        """Those of the names under which one node knows a blob; of a cluster's nodes that one may lack some."""
        wanted: dict[Database, list[str]] = {}
        for name in names:
            wanted.setdefault(self._database_of(name), []).append(name)
        return {name for database, some in wanted.items() for name in database.existing(some)}

    def missing(self, names: Iterable[str]) -> set[str]:
        """Those of the names under which there is no blob; asked again one by one, as a list comes from one node."""
        wanted = list(names)
        listed = self.listed(wanted)
        absent = [name for name in wanted if name not in listed]
        return {name for name in absent if self._database_of(name).get(name) is None}

    def count(self) -> int:
        """How many there are."""
        return sum(database.document_count() for database in self._databases)

    def all_names(self) -> Iterator[list[str]]:
        """All names, page by page."""
        for database in self._databases:
            start = _FIRST
            while names := database.ids(start, _LAST, _PAGE):
                yield names
                start = names[-1] + "!"

    def _database_of(self, name: str) -> Database:
        return self._databases[int(name[0], 16) % _DATABASES]
