"""Files of forms: bounded one by one and together, and nothing of them is left."""

import os
import time

import pytest
from flask import Flask
from werkzeug.exceptions import RequestEntityTooLarge

from imagemill.api.web import spool
from imagemill.api.web.problems import Problem
from imagemill.api.web.spool import Space, Spool

MEBIBYTE = 1 << 20


def test_files_of_one_request_are_read_apart_and_take_one_descriptor() -> None:
    space = Space("disk", 64 * MEBIBYTE)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    kept, wanted = Spool(space, MEBIBYTE), [bytes([n]) * (200_000 + n) for n in range(30)]
    files = []
    for data in wanted:
        files.append(kept.open())
        files[-1].write(data[:1000])
        files[-1].write(data[1000:])
    assert len(os.listdir("/proc/self/fd")) == before + 1  # noqa: PTH208
    for file, data in zip(files, wanted, strict=True):
        file.seek(0)
        assert file.read(100) + file.read() == data
        assert (file.read(), file.size_bytes) == (b"", len(data))
    kept.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_of_a_file_that_is_too_long_one_byte_too_many_is_kept_and_the_rest_counted() -> None:
    kept = Spool(Space("disk", 64 * MEBIBYTE), 1000)
    long, short = kept.open(), None
    for _ in range(50):
        long.write(bytes(300))
    short = kept.open()
    short.write(b"short")
    long.seek(0)
    short.seek(0)
    assert (len(long.read()), long.size_bytes) == (1001, 15_000)
    assert short.read() == b"short"
    kept.close()


def test_a_file_without_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "DISCARD_SECONDS", 0.01)
    kept = Spool(Space("disk", 64 * MEBIBYTE), 1000)
    endless = kept.open()
    for _ in range(3):
        endless.write(bytes(1000))
    time.sleep(0.02)
    with pytest.raises(RequestEntityTooLarge):
        endless.write(bytes(1000))
    kept.close()


def test_all_requests_share_one_bounded_space_and_give_back_what_they_took() -> None:
    space = Space("disk", 3 * MEBIBYTE)
    first, second = Spool(space, 8 * MEBIBYTE), Spool(space, 8 * MEBIBYTE)
    first.open().write(bytes(2 * MEBIBYTE))
    with pytest.raises(Problem) as refused:
        second.open().write(bytes(2 * MEBIBYTE))
    assert (refused.value.status, refused.value.code) == (503, "too-many-uploads")
    assert refused.value.headers["Retry-After"] == "5"
    first.close()
    second.open().write(bytes(2 * MEBIBYTE))
    second.close()
    space.claim(3 * MEBIBYTE)


def test_every_request_gives_back_its_memory_in_whatever_way_it_ends() -> None:
    from imagemill.settings import Settings

    app = Flask("test")
    spool.install(app, Settings(max_upload_memory_bytes=1000))

    @app.post("/fails")
    @spool.takes_pictures
    def fails() -> str:
        spool.claim_memory(900)
        raise ValueError

    for _ in range(3):
        assert app.test_client().post("/fails", data=b"x").status_code == 500
