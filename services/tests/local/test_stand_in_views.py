"""The stand-in's views, which it keeps in memory: the same answers as if they were made anew for each question."""

from typing import Any

import pytest
import requests

from imagemill.local.couch import CouchServer

VIEWS = {
    "sums": {"map": "function (doc) { if (doc.batch) { emit(doc.batch, [1, doc.size]); } }", "reduce": "_sum"},
    "counts": {"map": "function (doc) { if (doc.batch) { emit(doc.batch, null); } }", "reduce": "_count"},
    "sizes": {"map": "function (doc) { if (doc.batch) { emit([doc.batch], doc.size); } }", "reduce": "_stats"},
    "lists": {"map": "function (doc) { emit([doc.batch.toUpperCase(), doc.size], doc.size); emit([''], null); }"},
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
    return [(row["key"], row["value"]) for row in rows(database, view, reduce=True, **query)]


def rows(database: str, view: str, **query: object) -> list[dict[str, Any]]:
    answer = requests.post(f"{database}/_design/d/_view/{view}", json=query, timeout=60)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def ids(database: str, **query: object) -> list[str]:
    return [row["id"] for row in rows(database, "lists", reduce=False, **query)]


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


def test_rows_in_the_order_of_their_keys_then_ids_and_parts_of_them(database: str) -> None:
    write(database, *documents(3, "b", 5), *documents(2, "a", 7), {"_id": "none", "size": 1})
    write(database, *documents(1, "c", 1))
    all_of_b = {"start_key": ["B"], "end_key": ["B", {}]}
    assert ids(database, **all_of_b) == ["b-00000", "b-00001", "b-00002"]
    assert ids(database, start_key=["A", 7], end_key=["B", 5], limit=3) == ["a-00000", "a-00001", "b-00000"]
    backwards = {"descending": True, "start_key": ["B", {}], "end_key": ["A"]}
    assert ids(database, **backwards, limit=4) == ["b-00002", "b-00001", "b-00000", "a-00001"]
    assert ids(database, start_key=["D"]) == []
    assert len(ids(database)) == 12
    (last,) = rows(database, "lists", reduce=False, descending=True, limit=1)
    assert last == {"id": "c-00000", "key": ["C", 1], "value": 1}


def test_rows_of_what_comes_later_what_changes_and_what_is_removed(database: str) -> None:
    revisions = write(database, *documents(1200, "a"))
    assert len(ids(database, start_key=["A"])) == 1200
    write(database, *documents(1, "0"))
    assert ids(database, start_key=["A"], limit=1) == ["a-00000"]
    assert ids(database, start_key=["0"], limit=1) == ["0-00000"]
    write(database, {"_id": "a-00000", "_rev": revisions[0], "batch": "z", "size": 5})
    write(database, {"_id": "a-00001", "_rev": revisions[1], "_deleted": True})
    assert ids(database, start_key=["A"], limit=1) == ["a-00002"]
    assert ids(database, start_key=["Z"], end_key=["Z", {}]) == ["a-00000"]


def test_other_questions_have_the_same_answers(database: str) -> None:
    write(database, *documents(2, "b"), *documents(1, "a"))
    kept, made = (
        ids(database, start_key=["A"], end_key=["A", {}]),
        rows(database, "lists", reduce=False, start_key=["A"], end_key=["A", {}], include_docs=True),
    )
    assert kept == [row["id"] for row in made]


def test_of_two_versions_only_the_one_that_won_counts(database: str) -> None:
    (revision,) = write(database, *documents(1, "a"))
    assert ask(database) == [(None, [1, 2])]
    other = {"_id": "a-00000", "_rev": "1-" + "f" * 32, "batch": "b", "size": 7}
    requests.post(f"{database}/_bulk_docs", json={"docs": [other], "new_edits": False}, timeout=60).raise_for_status()
    assert ask(database, group=True) == [("b", [1, 7])]
    write(database, {"_id": "a-00000", "_rev": other["_rev"], "_deleted": True})
    assert ask(database, group=True) == [("a", [1, 2])]
    assert revision.startswith("1-")


def test_a_database_that_is_made_anew_and_one_that_is_not_there(database: str) -> None:
    write(database, *documents(2, "a"))
    assert ask(database) == [(None, [2, 4])]
    requests.delete(database, timeout=60).raise_for_status()
    missing = requests.post(f"{database}/_design/d/_view/sums", json={"reduce": True}, timeout=60)
    assert missing.status_code == 404
    requests.put(database, timeout=60).raise_for_status()
    write(database, {"_id": "_design/d", "views": VIEWS}, *documents(1, "a"))
    assert ask(database) == [(None, [1, 2])]


def test_the_least_and_the_largest_of_groups_in_several_ranges(database: str) -> None:
    write(database, *documents(2, "a", 3), *documents(1, "ab", 5), *documents(1, "b", 1))
    write(database, {"_id": "more", "batch": "a", "size": 9})
    a = {"sum": 15, "count": 3, "min": 3, "max": 9, "sumsqr": 99}
    assert ask(database, "sizes", group=True, keys=[["a"], ["none"]]) == [(["a"], a)]
    queries = [{"reduce": True, "group": True, "start_key": [name], "end_key": [name, "z"]} for name in ("b", "a", "x")]
    answer = requests.post(f"{database}/_design/d/_view/sizes/queries", json={"queries": queries}, timeout=60)
    assert [[row["key"] for row in found["rows"]] for found in answer.json()["results"]] == [[["b"]], [["a"]], []]
    assert answer.json()["results"][1]["rows"][0]["value"] == a
