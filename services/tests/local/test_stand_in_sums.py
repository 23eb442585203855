"""The stand-in's reduced views, which it keeps in memory: the same answers as if all rows were added up."""

import pytest
import requests

from imagemill.local.couch import CouchServer

VIEWS = {
    "sums": {"map": "function (doc) { if (doc.batch) { emit(doc.batch, [1, doc.size]); } }", "reduce": "_sum"},
    "counts": {"map": "function (doc) { if (doc.batch) { emit(doc.batch, null); } }", "reduce": "_count"},
}


@pytest.fixture
def database(couch: CouchServer, couchdb_prefix: str) -> str:
    address = f"{couch.url}/{couchdb_prefix}sums"
    requests.put(address, timeout=60).raise_for_status()
    write(address, {"_id": "_design/d", "views": VIEWS})
    return address


def write(database: str, *documents: dict[str, object]) -> list[str]:
    answer = requests.post(f"{database}/_bulk_docs", json={"docs": documents}, timeout=60)
    answer.raise_for_status()
    return [row["rev"] for row in answer.json()]


def ask(database: str, view: str = "sums", **query: object) -> list[tuple[object, object]]:
    answer = requests.post(f"{database}/_design/d/_view/{view}", json={"reduce": True, **query}, timeout=60)
    answer.raise_for_status()
    return [(row["key"], row["value"]) for row in answer.json()["rows"]]


def documents(count: int, batch: str, size: int = 2) -> list[dict[str, object]]:
    return [{"_id": f"{batch}-{number:05d}", "batch": batch, "size": size} for number in range(count)]


def test_of_all_of_one_key_of_several_and_in_groups(database: str) -> None:
    assert ask(database) == []
    write(database, *documents(3, "a"), *documents(1, "b"), *documents(2, "c"))
    assert ask(database) == [(None, [6, 12])]
    assert ask(database, "counts") == [(None, 6)]
    assert ask(database, key="a") == [(None, [3, 6])]
    assert ask(database, key="nothing") == []
    assert ask(database, "counts", group=True, keys=["b", "nothing", "a"]) == [("b", 1), ("a", 3)]
    assert [key for key, _ in ask(database, group=True)] == ["a", "b", "c"]
    assert [key for key, _ in ask(database, group=True, descending=True, start_key="b", limit=1)] == ["b"]


def test_what_comes_later_what_changes_and_what_is_removed(database: str) -> None:
    revisions = write(database, *documents(1500, "a"))
    assert ask(database) == [(None, [1500, 3000])]
    write(database, *documents(1, "b"))
    assert ask(database) == [(None, [1501, 3002])]
    write(database, {"_id": "a-00000", "_rev": revisions[0], "batch": "a", "size": 5})
    assert ask(database) == [(None, [1501, 3005])]
    write(database, {"_id": "a-00001", "_rev": revisions[1], "_deleted": True})
    assert ask(database, key="a") == [(None, [1499, 3001])]


def test_a_database_that_is_made_anew_and_one_that_is_not_there(database: str) -> None:
    write(database, *documents(2, "a"))
    assert ask(database) == [(None, [2, 4])]
    requests.delete(database, timeout=60).raise_for_status()
    missing = requests.post(f"{database}/_design/d/_view/sums", json={"reduce": True}, timeout=60)
    assert missing.status_code == 404
    requests.put(database, timeout=60).raise_for_status()
    write(database, {"_id": "_design/d", "views": VIEWS}, *documents(1, "a"))
    assert ask(database) == [(None, [1, 2])]
