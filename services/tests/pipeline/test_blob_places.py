"""Bytes in S3 or in a folder: all programs work with them there, and they can move while everybody works."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import pictures
from faulty_proxy import faulty
from imagemill import recipes
from imagemill.settings import Settings
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.blobs.places import open_blobs
from imagemill.store.couch import Couch
from mill import Mill, adds_up, wait_for
from s3_server import S3Server, s3_server

PROGRAMS = ("writer", "api", "worker")
# Small pictures travel in messages; large ones, and large results, by reference.
LIMITS = {"inline_max_bytes": 20_000, "result_inline_max_bytes": 20_000}


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


def photos() -> list[bytes]:
    start = uuid.uuid4().int % 2**31
    return [pictures.photo_jpeg(width, height, start + width) for width, height in ((96, 64), (640, 480))]


def results_are_right(mill: Mill, datas: list[bytes], ids: list[str]) -> None:
    gray = recipes.load(None)["gray"]
    for data, image_id in zip(datas, ids, strict=True):
        assert mill.ended(image_id)["status"] == "stored"
        assert mill.get(f"/api/v1/images/{image_id}/result").content == gray.apply(data).data
        assert mill.get(f"/api/v1/images/{image_id}/original").content == data


def command(mill: Mill, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], "COUCHDB_URL": mill.couchdb_url, "IMAGEMILL_COUCHDB_PREFIX": mill.prefix}
    environment |= {f"IMAGEMILL_{name.upper()}": value for name, value in settings.items()}
    line = [sys.executable, "-m", "imagemill.cli", *words]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("where", ["s3", "folder"])
def test_pictures_are_stored_where_the_setting_says(own_mill: Mill, s3: S3Server, tmp_path: Path, where: str) -> None:
    place = s3.settings(uuid.uuid4().hex) if where == "s3" else {"blobs_url": f"file://{tmp_path}/blobs"}
    own_mill.start(*PROGRAMS, **place, **LIMITS)
    datas = photos()
    ids = own_mill.accepted(*datas)
    results_are_right(own_mill, datas, ids)
    # The same once more: nothing new is stored, and the answer is the known result.
    results_are_right(own_mill, datas, own_mill.accepted(*datas))
    assert Couch(own_mill.couchdb_url, own_mill.prefix).database_names("blobs") == []
    verified = command(own_mill, "verify", "--all", "--json", **place)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["counted"]["blobs_read"] == 4


def test_results_come_from_s3_itself_where_clients_reach_it(own_mill: Mill, s3: S3Server, tmp_path: Path) -> None:
    settings = s3.settings(uuid.uuid4().hex) | {"s3_public_endpoint_url": s3.url}
    own_mill.start(*PROGRAMS, **settings, **LIMITS)
    datas = photos()
    ids = own_mill.accepted(*datas, batch="elsewhere")
    results_are_right(own_mill, datas, ids)
    address = f"/api/v1/images/{ids[0]}/result"
    sent_on = own_mill.get(address, allow_redirects=False)
    assert sent_on.status_code == 302
    assert sent_on.headers["Location"].startswith(f"{s3.url}/{s3.bucket}/")
    assert own_mill.get(f"/image/{ids[0]}", allow_redirects=False).status_code == 302
    kept = own_mill.get(f"{address}?download", allow_redirects=False)
    assert (kept.status_code, "attachment" in kept.headers["Content-Disposition"]) == (200, True)
    known = {"If-None-Match": kept.headers["ETag"]}
    assert own_mill.get(address, headers=known, allow_redirects=False).status_code == 304
    assert own_mill.http.head(own_mill.url + address, timeout=10).status_code == 200
    assert f"img-src 'self' blob: {s3.url};" in own_mill.get("/").headers["Content-Security-Policy"] + ";"
    done = command(own_mill, "--api", own_mill.url, "download", "elsewhere", "--to", str(tmp_path / "results"))
    assert done.returncode == 0, done.stderr
    gray = recipes.load(None)["gray"]
    assert {path.read_bytes() for path in (tmp_path / "results").iterdir()} == {gray.apply(data).data for data in datas}
    # What is gone is said to be gone, not sent for.
    digest = own_mill.image(ids[0])["result"]["sha256"]
    open_blobs(Settings(**settings), Couch(own_mill.couchdb_url, own_mill.prefix)).remove(digest)
    assert own_mill.get(address, allow_redirects=False).json()["code"] == "blob-missing"


def test_while_s3_is_away_nothing_is_taken_and_nothing_fails(own_mill: Mill, s3: S3Server) -> None:
    with faulty(s3.url) as proxy:
        place = s3.settings(uuid.uuid4().hex) | {"s3_endpoint_url": proxy.url, "s3_timeout_seconds": "3"}
        own_mill.start("writer", "api", **place, **LIMITS)
        datas = photos()
        ids = own_mill.accepted(*datas)
        proxy.add("error", "/mill/", times=10_000)
        own_mill.start("worker", **place, **LIMITS)
        assert own_mill.upload(*photos()).status_code == 503
        wait_for(lambda: proxy.faults[0].met > 10, "programs that try and try")
        counts = own_mill.totals()
        assert (counts["accepted"], counts["failed"]) == (2, 0)
        proxy.faults.clear()
        results_are_right(own_mill, datas, ids)
        assert adds_up(own_mill.all_ended())


def test_blobs_move_to_s3_while_pictures_come(own_mill: Mill, s3: S3Server) -> None:
    before = photos()
    own_mill.start(*PROGRAMS, **LIMITS)
    first = own_mill.accepted(*before)
    results_are_right(own_mill, before, first)
    new = s3.settings(uuid.uuid4().hex)
    both_old = new | {"blobs_url": "couchdb:", "blobs_from_url": new["blobs_url"]}
    both_new = new | {"blobs_from_url": "couchdb:"}
    # Program by program, as a cluster does it: first all learn of the new place, then it takes what is new.
    for places in (both_old, both_new):
        for program in PROGRAMS:
            own_mill.stop(program)
            own_mill.start(program, **places, **LIMITS)
            during = photos()
            results_are_right(own_mill, during, own_mill.accepted(*during))
    moved = command(own_mill, "blobs", "move", "--remove", "--json", **both_new)
    assert moved.returncode == 0, moved.stderr
    assert json.loads(moved.stdout)["wrong"] == 0
    assert CouchBlobs(Couch(own_mill.couchdb_url, own_mill.prefix)).count() == 0
    for program in PROGRAMS:
        own_mill.stop(program)
        own_mill.start(program, **new, **LIMITS)
    results_are_right(own_mill, before, first)
    assert command(own_mill, "verify", "--all", **new).returncode == 0


def test_without_another_place_there_is_nothing_to_move(own_mill: Mill) -> None:
    ended = command(own_mill, "blobs", "move")
    assert ended.returncode == 2
    assert "IMAGEMILL_BLOBS_FROM_URL" in ended.stderr
