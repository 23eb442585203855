"""Two versions of a document, as a CouchDB cluster may have them."""

import itertools
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from faulty_proxy import Fault, faulty
from imagemill.domain.ids import floor_at, uuid7
from imagemill.domain.images import Outcome
from imagemill.store.conflicts import Conflicts, winner
from imagemill.store.couch import Couch, StoreUnavailable
from imagemill.store.leases import prepare as prepare_leases
from imagemill.store.ledger import Ledger
from mill import wait_for
from store.test_ledger import job, outcome

STORED = {"_rev": "1-a", "status": "stored", "trace": [{"at": "2026-11-01T00:00:02.000Z"}]}
LATER = {"_rev": "1-c", "status": "stored", "trace": [{"at": "2026-11-01T00:00:03.000Z"}]}
FAILED = {"_rev": "1-z", "status": "failed", "trace": [{"at": "2026-11-01T00:00:01.000Z"}]}


@pytest.mark.parametrize("versions", list(itertools.permutations([STORED, LATER, FAILED])))
def test_stored_beats_failed_and_then_the_earliest_counts_in_whatever_order(versions: list[dict[str, Any]]) -> None:
    assert winner(versions) is STORED


def as_two_nodes_had_it(couchdb_url: str, prefix: str, *versions: dict[str, Any]) -> None:
    """Documents with their revisions, as nodes gave them that did not see each other."""
    answer = requests.post(
        f"{couchdb_url}/{prefix}ledger/_bulk_docs", json={"docs": list(versions), "new_edits": False}, timeout=60
    )
    assert answer.ok, answer.text


def test_an_erasure_that_went_further_counts_before_an_earlier_one() -> None:
    pending = {"_rev": "1-a", "type": "erasure", "id": "one", "state": "pending"}
    purging, purged = ({**pending, "_rev": f"{n}-b", "state": state} for n, state in ((2, "purging"), (3, "purged")))
    assert winner([pending, purged, purging]) is purged
    assert winner([pending, purging]) is purging


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
    versions: list[tuple[str, Outcome]] = [(shown * 32, outcome(new, "failed")), ("8" * 32, outcome(new, "stored"))]
    documents = [
        {"_id": f"outcome:{new.id}", "_rev": f"1-{digest}", "type": "outcome", **one.model_dump(mode="json")}
        for digest, one in versions
    ]
    as_two_nodes_had_it(couchdb_url, couchdb_prefix, *documents)
    conflicts = Conflicts(client)
    assert conflicts.round() == 1
    # On a cluster a list comes from one node, which may be a moment behind.
    wait_for(lambda: ledger.outcomes([new.id])[new.id].status == "stored", "the version that counts", 10)
    wait_for(lambda: ledger.counts("b").stored == 1 and not ledger.counts("b").failed, "the counts", 10)
    assert conflicts.round() == 0


def keys(*ids: str) -> list[dict[str, Any]]:
    """What two requests with the same key remembered, each on one side of a cluster."""
    revisions = [f"1-{letter * 32}" for letter in "0f"]
    documents = zip(ids, revisions, strict=False)
    return [{"_id": "key:k", "type": "key", "id": made, "_rev": revision} for made, revision in documents]


@pytest.mark.parametrize("turn", [1, -1])
def test_of_two_ids_of_one_key_the_one_that_was_used_counts(
    client: Couch, ledger: Ledger, couchdb_url: str, couchdb_prefix: str, turn: int
) -> None:
    used, other = job(), job()
    ledger.accept([used], [], [])
    as_two_nodes_had_it(couchdb_url, couchdb_prefix, *keys(*(used.id, other.id)[::turn]))
    assert ledger.remember_keys({"k": uuid7()}) == {"k": used.id}


def test_while_none_of_two_ids_was_used_nobody_is_told_either(
    client: Couch, ledger: Ledger, couchdb_url: str, couchdb_prefix: str
) -> None:
    prepare_leases(client)
    as_two_nodes_had_it(couchdb_url, couchdb_prefix, *keys(uuid7(), uuid7()))
    with pytest.raises(StoreUnavailable, match="not settled"):
        ledger.remember_keys({"k": uuid7()})
    assert Conflicts(client).round() == 0  # whoever remembered one of them just now may be about to use it


@pytest.mark.parametrize("turn", [1, -1])
def test_of_two_old_ids_of_one_key_the_used_one_stays(
    client: Couch, ledger: Ledger, couchdb_url: str, couchdb_prefix: str, turn: int
) -> None:
    prepare_leases(client)
    long_ago = time.time() - 3600
    used = job().model_copy(update={"id": floor_at(long_ago)})
    ledger.accept([used], [], [])
    as_two_nodes_had_it(couchdb_url, couchdb_prefix, *keys(*(used.id, floor_at(long_ago - 1))[::turn]))
    conflicts = Conflicts(client)
    assert conflicts.round() == 1
    assert ledger.remember_keys({"k": uuid7()}) == {"k": used.id}
    assert conflicts.round() == 0


def test_names_of_databases_are_asked_for_as_json(couchdb_url: str) -> None:
    # CouchDB itself answers 400 otherwise; its stand-in does not look.
    seen: list[str] = []
    with faulty(couchdb_url) as proxy:
        proxy.faults.append(Fault("refuse", lambda _, path, __: seen.append(path) is not None))
        Couch(proxy.url, "p").database_names("activity-")
    asked = parse_qs(urlsplit(seen[-1]).query)
    assert [json.loads(asked[name][0]) for name in ("start_key", "end_key")] == ["p-activity-", "p-activity-\ufff0"]
