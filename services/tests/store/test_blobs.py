"""Whatever holds the bytes: they are written once, read as they were written, and never said to be lost by mistake."""

import itertools
import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from pydantic import ValidationError

from faulty_proxy import faulty
from imagemill.domain.blobs import sha256
from imagemill.integrity.move import Move
from imagemill.settings import Settings
from imagemill.store.blobs import Blobs
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.blobs.folder import FolderBlobs
from imagemill.store.blobs.moving import MovingBlobs
from imagemill.store.blobs.places import open_blobs
from imagemill.store.blobs.s3 import S3Blobs, S3Place
from imagemill.store.couch import Couch, StoreUnavailable
from s3_server import REGION, S3Server, s3_server

NUMBERS = itertools.count()
RUN = uuid.uuid4().hex
PNG = b"\x89PNG and what follows"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


def test_an_address_is_given_out_where_clients_reach_the_place_and_for_what_is_there(s3: S3Server) -> None:
    private, public = (replace(place(s3, "addresses"), public_endpoint_url=url) for url in (None, s3.url))
    store = S3Blobs(public)
    store.prepare()
    store.put(sha256(PNG), PNG, "image/png")
    address = store.address(sha256(PNG), 60)
    assert address is not None
    answer = requests.get(address, timeout=10)
    assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")
    assert "X-Amz-Expires=60" in address
    assert s3.secret_key not in address
    assert S3Blobs(private).address(sha256(PNG), 60) is None
    with pytest.raises(LookupError):
        store.address(sha256(b"never stored"), 60)


def test_an_address_names_the_host_that_clients_know(s3: S3Server) -> None:
    store = S3Blobs(replace(place(s3, "addresses"), public_endpoint_url="https://pictures.example"))
    store.prepare()
    store.put(sha256(PNG), PNG, "image/png")
    assert (store.address(sha256(PNG), 60) or "").startswith(f"https://pictures.example/{s3.bucket}/{RUN}/addresses/")


def place(s3: S3Server, prefix: str = "", url: str | None = None) -> S3Place:
    return S3Place(
        s3.bucket, f"{RUN}/{prefix}".strip("/"), url or s3.url, REGION, s3.access_key, s3.secret_key, timeout_seconds=5
    )


@pytest.fixture
def places(couchdb_url: str, couchdb_prefix: str, tmp_path: Path, s3: S3Server) -> dict[str, Callable[[], Blobs]]:
    """Makers of empty stores."""
    return {
        "couchdb": lambda: CouchBlobs(Couch(couchdb_url, f"{couchdb_prefix}c{next(NUMBERS)}")),
        "folder": lambda: FolderBlobs(tmp_path / f"blobs{next(NUMBERS)}"),
        "s3": lambda: S3Blobs(place(s3, f"test/{next(NUMBERS)}")),
        "s3 without conditions": lambda: S3Blobs(replace(place(s3, f"test/{next(NUMBERS)}"), conditional_put=False)),
    }


@pytest.fixture(params=["couchdb", "folder", "s3", "s3 without conditions"])
def blobs(places: dict[str, Callable[[], Blobs]], request: pytest.FixtureRequest) -> Blobs:
    store = places[request.param]()
    store.prepare()
    return store


def stored(blobs: Blobs, count: int, start: bytes = PNG) -> list[str]:
    datas = [start + str(number).encode() for number in range(count)]
    for data in datas:
        assert blobs.put(sha256(data), data, "image/png")
    return [sha256(data) for data in datas]


def test_what_is_stored_is_read_as_it_was_and_is_new_once(blobs: Blobs) -> None:
    (name,) = stored(blobs, 1)
    assert blobs.get(name) == blobs.read_unchecked(name) == PNG + b"0"
    assert blobs.put(name, PNG + b"0", "image/png") is False
    assert blobs.content_type(name) == "image/png"


def test_previews_are_stored_with_a_result_and_are_no_blobs(blobs: Blobs) -> None:
    result, original = sha256(PNG), sha256(b"original")
    assert blobs.put(result, PNG, "image/png", {result: b"RIFF small", original: b"RIFF smaller"})
    assert not blobs.put(result, PNG, "image/png", {result: b"RIFF another"})
    assert blobs.preview(result, result) == b"RIFF small"
    assert blobs.preview(result, original) == b"RIFF smaller"
    assert blobs.preview(result, sha256(b"other")) is None
    assert [name for page in blobs.all_names() for name in page] == [result]
    assert blobs.count() == 1


@pytest.mark.parametrize(("old", "new"), [("couchdb", "folder"), ("couchdb", "s3"), ("folder", "couchdb")])
def test_previews_move_with_what_they_show(places: dict[str, Callable[[], Blobs]], old: str, new: str) -> None:
    both = MovingBlobs(places[new](), places[old]())
    both.prepare()
    result, original = sha256(PNG), sha256(b"original")
    both.old.put(original, b"original", "image/png")
    both.old.put(result, PNG, "image/png", {result: b"RIFF small", original: b"RIFF smaller"})
    assert both.preview(result, original) == b"RIFF smaller"
    assert Move(both, True, lambda *_: None).run(lambda *_: None).copied == 2
    assert both.new.preview(result, result) == b"RIFF small"
    assert both.new.preview(result, original) == b"RIFF smaller"


def test_what_is_not_there_is_said_to_be_missing(blobs: Blobs) -> None:
    (name,) = stored(blobs, 1)
    other = sha256(b"another")
    with pytest.raises(LookupError):
        blobs.get(other)
    with pytest.raises(LookupError):
        blobs.content_type(other)
    assert blobs.read_unchecked(other) is None
    assert (blobs.listed([name, other]), blobs.missing([name, other])) == ({name}, {other})
    assert (blobs.listed([]), blobs.missing([])) == (set(), set())


def test_all_are_counted_and_named(blobs: Blobs) -> None:
    names = stored(blobs, 30)
    assert blobs.count() == 30
    assert sorted(itertools.chain(*blobs.all_names())) == sorted(names)


def test_wrong_bytes_are_never_given_out_and_can_be_replaced(blobs: Blobs) -> None:
    (name,) = stored(blobs, 1)
    blobs.replace(name, b"rotten", "image/png")
    with pytest.raises(StoreUnavailable, match="other bytes"):
        blobs.get(name)
    blobs.replace(name, PNG + b"0", "image/png")
    assert blobs.get(name) == PNG + b"0"


def test_what_was_removed_can_be_stored_again(blobs: Blobs) -> None:
    (name,) = stored(blobs, 1)
    blobs.remove(name)
    blobs.remove(name)
    assert blobs.missing([name]) == {name}
    assert blobs.put(name, PNG + b"0", "image/png")
    assert blobs.get(name) == PNG + b"0"


def test_of_many_who_store_the_same_one_is_first_and_all_find_it(blobs: Blobs) -> None:
    data = PNG * 10_000
    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(lambda _: blobs.put(sha256(data), data, "image/png"), range(8)))
    # A store that cannot be told a condition may have asked before anybody had stored it.
    assert firsts.count(True) >= 1
    assert blobs.get(sha256(data)) == data


def test_an_empty_bucket_or_one_of_somebody_elses_has_lost_nothing(s3: S3Server) -> None:
    for wrong in (S3Blobs(place(s3, "never prepared")), S3Blobs(replace(place(s3), bucket="no-such-bucket"))):
        with pytest.raises(StoreUnavailable, match="not one of blobs"):
            wrong.get(sha256(b"x"))
        with pytest.raises(StoreUnavailable, match="not one of blobs"):
            wrong.missing([sha256(b"x")])


def test_without_its_bucket_s3_is_unavailable_whatever_is_asked(s3: S3Server) -> None:
    blobs, name = S3Blobs(replace(place(s3), bucket="no-such-bucket")), sha256(PNG)
    for ask in (
        blobs.prepare,
        lambda: blobs.put(name, PNG, "image/png"),
        lambda: blobs.replace(name, PNG, "image/png"),
        lambda: blobs.get(name),
        lambda: blobs.listed([name]),
        lambda: list(blobs.all_names()),
    ):
        with pytest.raises(StoreUnavailable, match="no-such-bucket"):
            ask()


def test_a_folder_that_is_not_mounted_has_lost_nothing_and_takes_nothing(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    blobs.prepare()
    (name,) = stored(blobs, 1)
    shutil.rmtree(tmp_path / "blobs")
    for ask in (lambda: blobs.get(name), lambda: blobs.missing([name]), lambda: stored(blobs, 1)):
        with pytest.raises(StoreUnavailable, match="mounted"):
            ask()


def test_what_a_crash_left_half_written_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    blobs.prepare()

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(StoreUnavailable, match="No space left"):
        stored(blobs, 1)
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == [
        tmp_path / "blobs" / "imagemill-blobs"
    ]


def test_others_on_the_machine_cannot_read_a_folder_of_blobs(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    blobs.prepare()
    stored(blobs, 1)
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "blobs").rglob("*")} == {0}


def test_an_s3_that_fails_or_refuses_is_unavailable_and_no_secret_is_told(s3: S3Server) -> None:
    with faulty(s3.url) as proxy:
        blobs = S3Blobs(place(s3, "faults", proxy.url))
        blobs.prepare()
        proxy.add("error", "faults", times=100)
        with pytest.raises(StoreUnavailable) as failed:
            stored(blobs, 1)
        proxy.faults.clear()
        proxy.add("forbid", "faults", times=100)
        with pytest.raises(StoreUnavailable) as refused:
            blobs.get(sha256(b"x"))
    assert s3.secret_key not in f"{failed.value}{refused.value}"


def test_an_answer_that_was_lost_is_no_loss(s3: S3Server) -> None:
    with faulty(s3.url) as proxy:
        blobs = S3Blobs(place(s3, "lost", proxy.url))
        blobs.prepare()
        proxy.add("lose", "lost", times=1, method="PUT")
        data = PNG + b"lost"
        # Asked again by the client, it is there: new or not, it is stored.
        blobs.put(sha256(data), data, "image/png")
        assert blobs.get(sha256(data)) == data


PAIRS = [("couchdb", "s3"), ("s3", "folder"), ("folder", "couchdb")]


@pytest.mark.parametrize(("old", "new"), PAIRS, ids="-".join)
def test_blobs_move_while_they_are_used(places: dict[str, Callable[[], Blobs]], old: str, new: str) -> None:
    moving = MovingBlobs(places[new](), places[old]())
    moving.prepare()
    before = stored(moving.old, 5)
    during = stored(moving, 3, PNG + b"new")
    assert {moving.get(name)[:4] for name in before + during} == {PNG[:4]}
    assert moving.missing([*before, *during]) == set()
    assert sorted(itertools.chain(*moving.all_names())) == sorted(before + during)
    steps: list[tuple[str, int]] = []
    moved = Move(moving, remove=True, found=lambda *_: None).run(lambda what, count: steps.append((what, count)))
    assert (moved.copied, moved.there, moved.removed, moved.wrong, len(steps)) == (5, 0, 5, 0, 5)
    assert moving.old.count() == 0
    assert sorted(itertools.chain(*moving.new.all_names())) == sorted(before + during)
    assert {moving.content_type(name) for name in before} == {"image/png"}


def test_a_move_that_was_broken_off_goes_on_where_it_was(places: dict[str, Callable[[], Blobs]]) -> None:
    moving = MovingBlobs(places["folder"](), places["couchdb"]())
    moving.prepare()
    names = stored(moving.old, 6)

    class Broken(Exception):
        pass

    asked = itertools.count(1)

    def stop(*_: object) -> None:
        if next(asked) == 3:
            raise Broken

    with pytest.raises(Broken):
        Move(moving, remove=False, found=lambda *_: None).run(stop)
    moved = Move(moving, remove=False, found=lambda *_: None).run(lambda *_: None)
    assert (moved.there, moved.copied) == (3, 3)
    assert moving.old.count() == 6
    assert moving.new.missing(names) == set()


def test_wrong_bytes_are_told_and_left_where_they_are(places: dict[str, Callable[[], Blobs]]) -> None:
    moving = MovingBlobs(places["folder"](), places["couchdb"]())
    moving.prepare()
    good, bad = stored(moving.old, 2)
    moving.old.replace(bad, b"rotten", "image/png")
    found: list[str] = []
    moved = Move(moving, remove=True, found=lambda name, _: found.append(name)).run(lambda *_: None)
    assert (moved.copied, moved.wrong, moved.is_done, found) == (1, 1, False, [bad])
    assert moving.new.listed([good, bad]) == {good}
    assert moving.old.listed([good, bad]) == {bad}


def test_settings_choose_the_place(tmp_path: Path, s3: S3Server, couchdb_url: str) -> None:
    couch = Couch(couchdb_url, "places")
    assert isinstance(open_blobs(Settings(), couch), CouchBlobs)
    assert isinstance(open_blobs(Settings(blobs_url=f"file://{tmp_path}/b"), couch), FolderBlobs)
    assert isinstance(open_blobs(Settings(**s3.settings("a/b")), couch), S3Blobs)
    both = open_blobs(Settings(**s3.settings(), blobs_from_url="couchdb:"), couch)
    assert isinstance(both, MovingBlobs)
    assert (type(both.new), type(both.old)) == (S3Blobs, CouchBlobs)


@pytest.mark.parametrize(
    "url", ["", "s3:", "s3://", "s3://UPPER/x", "s3://mill/a//b", "file://", "file://host", "ftp://x", "/data"]
)
def test_a_place_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(blobs_url=url)
