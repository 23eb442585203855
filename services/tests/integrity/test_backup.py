"""`imagemill backup` and `restore`: everything is copied, in the order that keeps a copy whole; no password is told."""

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from imagemill.domain.blobs import sha256
from imagemill.integrity.backup import in_order, verdict
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.couch import Couch, StoreUnavailable
from imagemill.store.leases import prepare as prepare_leases
from imagemill.store.ledger import Ledger
from imagemill.store.replication import Progress, ReplicaAddress, Replicator, document_id, document_of, progress_of

THERE = ReplicaAddress("http://admin:p%40ss@copy.example:5984/", "mill")
HERE = ReplicaAddress("http://couch:5984", "mill")


def test_what_refers_to_others_is_copied_before_them() -> None:
    names = ["access", "blobs-0", "blobs-3", "ledger", "months-2026-11", "state"]
    assert in_order(names) == ["state", "ledger", "access", "months-2026-11", "blobs-0", "blobs-3"]


def test_the_password_stands_apart_from_address_and_id() -> None:
    document = document_of(HERE, THERE, "ledger", continuous=False)
    assert document["source"] == {"url": "http://couch:5984/mill-ledger"}
    basic = {"username": "admin", "password": "p@ss"}
    assert document["target"] == {"url": "http://copy.example:5984/mill-ledger", "auth": {"basic": basic}}
    assert "p@ss" not in document["_id"]
    assert "p%40ss" not in repr(THERE)
    assert document["_id"] == document_id(HERE, THERE, "ledger") != document_id(THERE, HERE, "ledger")


@pytest.mark.parametrize(
    ("said", "is_over", "why"),
    [
        ({}, False, ""),
        ({"state": "running", "info": {"docs_written": 3, "changes_pending": 9}}, False, ""),
        ({"state": "completed", "info": {"docs_written": 3}}, True, ""),
        ({"state": "completed", "info": {"doc_write_failures": 2}}, True, "2 documents were refused"),
        ({"state": "failed", "info": {"error": "unauthorized"}}, True, "unauthorized"),
        ({"state": "crashing", "error_count": 2, "info": {"error": "nxdomain"}}, False, ""),
        ({"state": "crashing", "error_count": 5, "info": {"error": "nxdomain"}}, False, "5 attempts failed"),
    ],
)
def test_what_the_replicator_says_is_understood(said: dict[str, object], is_over: bool, why: str) -> None:
    progress = progress_of(said)
    assert progress.is_over is is_over
    assert why in verdict(progress, 1)
    assert bool(verdict(progress, 1)) is bool(why)


def test_a_replicator_that_does_not_begin_is_not_waited_for_for_ever() -> None:
    assert "did not begin" in verdict(Progress("initializing"), 1000)


def imagemill(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imagemill.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170, check=False)


def test_a_password_among_the_arguments_is_refused_and_not_repeated() -> None:
    ended = imagemill("backup", "http://admin:hunter2@copy:5984")
    assert (ended.returncode, "hunter2" in ended.stderr + ended.stdout) == (2, False)
    assert "IMAGEMILL_BACKUP_URL" in ended.stderr


def test_without_an_address_it_says_how_to_give_one(tmp_path: Path) -> None:
    assert "--url-file" in imagemill("backup").stderr
    assert "cannot be read" in imagemill("restore", "--url-file", str(tmp_path / "none")).stderr


@pytest.fixture
def source(couchdb_url: str, couchdb_prefix: str) -> Couch:
    """An installation with some documents, on a server that can replicate."""
    couch = Couch(couchdb_url, f"{couchdb_prefix}a")
    try:
        Replicator(couch).check()
    except StoreUnavailable:
        pytest.skip("the stand-in has no replicator; COUCHDB_URL names a CouchDB")
    Ledger(couch).prepare()
    CouchBlobs(couch).prepare()
    prepare_leases(couch)
    couch.database("ledger").put({"_id": "job:1", "n": 1})
    couch.database("state").put({"_id": "lease:x"})
    for n in range(20):
        CouchBlobs(couch).put(sha256(bytes([n]) * 1000), bytes([n]) * 1000, "image/png")
    return couch


def other(couch: Couch, name: str) -> str:
    """Another prefix, of databases that are removed with the test's."""
    return couch.prefix.removesuffix("a") + name


def documents(couch: Couch) -> dict[str, list[str]]:
    found = {name: couch.database(name).documents("", "\ufff0", 1000) for name in couch.database_names("")}
    return {name: sorted(f"{one['_id']} {one['_rev']}" for one in all_of_it) for name, all_of_it in found.items()}


def settings_of(couchdb_url: str, prefix: str) -> dict[str, str]:
    return {"COUCHDB_URL": couchdb_url, "IMAGEMILL_COUCHDB_PREFIX": prefix, "IMAGEMILL_BACKUP_URL": couchdb_url}


def test_all_is_copied_and_once_more_what_is_new_and_back(source: Couch, couchdb_url: str) -> None:
    copy, back = other(source, "copy"), other(source, "back")
    ours, address = settings_of(couchdb_url, source.prefix), urlsplit(couchdb_url)
    for _ in range(2):
        ended = imagemill("backup", "--prefix", copy, **ours)
        assert ended.returncode == 0, ended.stderr
        assert address.password is None or address.password not in ended.stdout + ended.stderr
        there = Couch(couchdb_url, copy)
        assert documents(there) == documents(source)
        source.database("ledger").put({"_id": f"job:{time.time()}"})
    assert not _copies_that_are_left(couchdb_url)
    restored = imagemill("restore", "--prefix", copy, "--json", **settings_of(couchdb_url, back))
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["documents_written"] == sum(map(len, documents(there).values()))
    assert documents(Couch(couchdb_url, back)) == documents(there)


def _copies_that_are_left(couchdb_url: str) -> list[str]:
    rows = requests.get(f"{couchdb_url}/_replicator/_all_docs", timeout=60).json()["rows"]
    return [row["id"] for row in rows if not row["id"].startswith("_")]


def test_a_restore_onto_documents_is_refused_unless_it_is_asked_for(source: Couch, couchdb_url: str) -> None:
    copy = other(source, "copy")
    ours = settings_of(couchdb_url, source.prefix)
    assert imagemill("backup", "--prefix", copy, **ours).returncode == 0
    refused = imagemill("restore", "--prefix", copy, **ours)
    assert refused.returncode == 2
    assert "--into-existing" in refused.stderr
    assert imagemill("restore", "--prefix", copy, "--into-existing", **ours).returncode == 0


def test_a_wrong_password_and_a_server_that_is_away_end_with_a_sentence(source: Couch, couchdb_url: str) -> None:
    ours = settings_of(couchdb_url, source.prefix)
    away = imagemill("backup", **{**ours, "IMAGEMILL_BACKUP_URL": "http://admin:hunter2@127.0.0.1:9"})
    assert (away.returncode, "hunter2" in away.stderr) == (3, False)
    parts = urlsplit(couchdb_url)
    wrong = couchdb_url.replace(f"{parts.username}:{parts.password}@", "admin:hunter2@")
    if parts.password is not None:
        refused = imagemill("backup", "--prefix", other(source, "copy"), **{**ours, "IMAGEMILL_BACKUP_URL": wrong})
        assert refused.returncode in (1, 3)
        assert "hunter2" not in refused.stderr
        assert not _copies_that_are_left(couchdb_url)


def test_a_continuous_copy_follows_until_it_is_stopped(source: Couch, couchdb_url: str) -> None:
    copy, ours = other(source, "copy"), settings_of(couchdb_url, source.prefix)
    assert imagemill("backup", "--prefix", copy, "--continuous", **ours).returncode == 0
    try:
        source.database("ledger").put({"_id": "job:later"})
        there, deadline = Couch(couchdb_url, copy).database("ledger"), time.monotonic() + 120
        while not (there.exists() and there.get("job:later")):
            assert time.monotonic() < deadline
            time.sleep(0.3)
        told = json.loads(imagemill("backup", "--prefix", copy, "--status", "--json", **ours).stdout)
        assert told["ledger"]["state"] == "running"
        assert told["ledger"]["error"] == ""
    finally:
        assert imagemill("backup", "--prefix", copy, "--stop", **ours).returncode == 0
    assert not _copies_that_are_left(couchdb_url)
    status = imagemill("backup", "--prefix", copy, "--status", **ours)
    assert (status.returncode, "nobody copies it" in status.stdout) == (1, True)
