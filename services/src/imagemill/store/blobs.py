"""Bytes by their SHA-256: written once, never changed."""

from imagemill.domain.blobs import sha256
from imagemill.store.couch import Conflict, Couch, Database, StoreUnavailable

_ATTACHMENT = "bytes"
# A database's writes go through one process (one per shard in CouchDB): four databases took twice as many pictures a
# second as one. The number is part of the layout and must not change.
_DATABASES = 4


class Blobs:
    """Originals and results. Raw attachment bytes: base64 would cost CouchDB and Python several times as much."""

    def __init__(self, couch: Couch) -> None:
        self._databases = [couch.database(f"blobs-{number}") for number in range(_DATABASES)]

    def prepare(self) -> None:
        """Makes the databases exist."""
        for database in self._databases:
            database.create()

    def put(self, name: str, data: bytes, content_type: str) -> bool:
        """Stores; tells whether it is new. A blob which is already there has the same bytes."""
        try:
            self._database_of(name).put_attachment(name, _ATTACHMENT, data, content_type)
        except Conflict:
            return False
        return True

    def get(self, name: str) -> bytes:
        """The bytes; raises LookupError when there is no such blob."""
        data = self._database_of(name).get_attachment(name, _ATTACHMENT)
        if data is None:
            raise LookupError(f"no blob {name}: it was removed, or the database is not the one it was stored in")
        if sha256(data) != name:
            raise StoreUnavailable(f"blob {name} came back with other bytes; it is read again later")
        return data

    def _database_of(self, name: str) -> Database:
        return self._databases[int(name[0], 16) % _DATABASES]
