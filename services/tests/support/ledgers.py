"""A ledger of a test's own."""

import pytest

from imagemill.store.couch import Couch
from imagemill.store.ledger import Ledger


@pytest.fixture
def client(couchdb_url: str, couchdb_prefix: str) -> Couch:
    return Couch(couchdb_url, couchdb_prefix.rstrip("-"))


@pytest.fixture
def ledger(client: Couch) -> Ledger:
    made = Ledger(client)
    made.prepare()
    made.prepare()
    return made
