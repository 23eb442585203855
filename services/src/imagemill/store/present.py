"""A CouchDB server of which it is known what databases it has."""

from imagemill.store.couch import Couch, Database


class PresentCouch(Couch):
    """Create only what was not there when this was made: a program that starts again finds all databases there."""

    def __init__(self, couch: Couch) -> None:
        self._service, self.prefix = couch.service, couch.prefix
        self._present = frozenset(couch.database_names(""))

    def database(self, name: str) -> Database:
        """One of this installation's databases."""
        kind = _Present if name in self._present else Database
        return kind(self._service, f"{self.prefix}-{name}")


class _Present(Database):
    def create(self) -> None:
        """Leave it: it is there."""
