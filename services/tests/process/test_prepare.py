"""The databases exist once a program has prepared them, however many were there before."""

from typing import Any

import pytest
from ibmcloudant.cloudant_v1 import CloudantV1

from imagemill.process.stores import Stores, open_stores
from imagemill.settings import Settings


@pytest.fixture
def settings(couchdb_url: str, couchdb_prefix: str) -> Settings:
    return Settings(couchdb_url=couchdb_url, couchdb_prefix=couchdb_prefix.rstrip("-"))


@pytest.fixture
def stores(settings: Settings) -> Stores:
    stores = open_stores(settings)
    stores.prepare(settings)
    return stores


@pytest.fixture
def created(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The databases which CouchDB is asked to make from now on."""
    names: list[str] = []
    put = CloudantV1.put_database

    def noted(service: CloudantV1, db: str, **more: Any) -> Any:
        names.append(db)
        return put(service, db=db, **more)

    monkeypatch.setattr(CloudantV1, "put_database", noted)
    return names


def test_what_is_there_is_not_made_again(stores: Stores, settings: Settings, created: list[str]) -> None:
    stores.prepare(settings)
    assert created == []
    assert stores.prepared()


def test_only_what_was_lost_is_made_again(stores: Stores, settings: Settings, created: list[str]) -> None:
    there = stores.couch.database_names("")
    lost = stores.couch.database("cameras")
    lost.delete()
    stores.prepare(settings)
    assert created == [lost.name]
    assert sorted(stores.couch.database_names("")) == sorted(there)
