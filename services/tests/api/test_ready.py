"""When the API says that requests may come."""

import threading

import pytest

from imagemill.api.__main__ import health_of
from imagemill.api.services import build
from imagemill.process.stores import open_stores, wait_for_stores
from imagemill.settings import Settings
from imagemill.store import leases
from imagemill.store.couch import Couch


def test_it_is_not_ready_before_its_databases_are_there(couchdb_url: str, couchdb_prefix: str) -> None:
    settings = Settings(couchdb_url=couchdb_url, couchdb_prefix=couchdb_prefix.rstrip("-"), instance="api-1")
    services = build(settings)
    health = health_of(services)
    assert health.problems("/readyz")["databases"] == "the databases are not there yet"
    assert "databases" not in health.problems("/healthz")
    wait_for_stores(services.stores, settings, threading.Event())
    assert "databases" not in health.problems("/readyz")


def test_the_mark_by_which_others_see_that_all_is_there_is_made_last(
    couchdb_url: str, couchdb_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(couchdb_url=couchdb_url, couchdb_prefix=couchdb_prefix.rstrip("-"))
    stores = open_stores(settings)
    assert not stores.prepared()
    mark, seen = leases.mark_prepared, []

    def marked_last(couch: Couch, layout: str) -> None:
        seen.append([couch.database(name).exists() for name in ("alerts", "cameras", "ledger")])
        mark(couch, layout)

    monkeypatch.setattr(leases, "mark_prepared", marked_last)
    stores.prepare(settings)
    assert stores.prepared()
    assert seen == [[True, True, True]]
