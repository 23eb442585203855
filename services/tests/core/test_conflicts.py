"""Two versions of a document, as a CouchDB cluster may have them."""

import itertools
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from core.test_ledger import job, outcome
from faulty_proxy import Fault, faulty
from imagemill.domain.images import Outcome
from imagemill.store.conflicts import Conflicts, winner
from imagemill.store.couch import Couch
from imagemill.store.leases import prepare as prepare_leases
from imagemill.store.ledger import Ledger
from mill import wait_for

STORED = {"_rev": "1-a", "status": "stored", "trace": [{"at": "2026-11-01T00:00:02.000Z"}]}
LATER = {"_rev": "1-c", "status": "stored", "trace": [{"at": "2026-11-01T00:00:03.000Z"}]}
FAILED = {"_rev": "1-z", "status": "failed", "trace": [{"at": "2026-11-01T00:00:01.000Z"}]}


@pytest.mark.parametrize("versions", list(itertools.permutations([STORED, LATER, FAILED])))
def test_stored_beats_failed_and_then_the_earliest_counts_in_whatever_order(versions: list[dict[str, Any]]) -> None:
    assert winner(versions) is STORED


@pytest.mark.parametrize("shown", ["0", "f"])
def test_of_two_outcomes_one_stays_whichever_couchdb_shows(
    client: Couch,
    ledger: Ledger,
    couchdb_url: str,
    couchdb_prefix: str,
    shown: str,
) -> None:
    prepare_leases(client)
    new = job()
    ledger.accept([new], [], [])
    # Revisions as two nodes gave them that did not see each other.
    versions: list[tuple[str, Outcome]] = [(shown * 32, outcome(new, "failed")), ("8" * 32, outcome(new, "stored"))]
    documents = [
        {"_id": f"outcome:{new.id}", "_rev": f"1-{digest}", "type": "outcome", **one.model_dump(mode="json")}
        for digest, one in versions
    ]
    answer = requests.post(
        f"{couchdb_url}/{couchdb_prefix}ledger/_bulk_docs", json={"docs": documents, "new_edits": False}, timeout=60
    )
    assert answer.ok, answer.text
    conflicts = Conflicts(client)
    assert conflicts.round() == 1
    # On a cluster a list comes from one node, which may be a moment behind.
    wait_for(lambda: ledger.outcomes([new.id])[new.id].status == "stored", "the version that counts", 10)
    wait_for(lambda: ledger.counts("b").stored == 1 and not ledger.counts("b").failed, "the counts", 10)
    assert conflicts.round() == 0


def test_names_of_databases_are_asked_for_as_json(couchdb_url: str) -> None:
    # CouchDB itself answers 400 otherwise; its stand-in does not look.
    seen: list[str] = []
    with faulty(couchdb_url) as proxy:
        proxy.faults.append(Fault("refuse", lambda _, path, __: seen.append(path) is not None))
        Couch(proxy.url, "p").database_names("activity-")
    asked = parse_qs(urlsplit(seen[-1]).query)
    assert [json.loads(asked[name][0]) for name in ("start_key", "end_key")] == ["p-activity-", "p-activity-\ufff0"]
