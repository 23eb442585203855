"""Bodies of any size leave the API's memory and disk as they are."""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from pictures import photo_jpeg

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
BOUNDARY = "a-boundary"
PICTURE = photo_jpeg(64, 48, seed=1)


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    settings = {"max_spooled_bytes": 36 * MEBIBYTE, "max_upload_memory_bytes": 49 * MEBIBYTE}
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill"), **settings) as running:
        yield running


def pieces(size_bytes: int) -> Iterator[bytes]:
    piece = bytes(MEBIBYTE)
    for _ in range(size_bytes // MEBIBYTE):
        yield piece


def form_of(size_bytes: int) -> Iterator[bytes]:
    disposition = 'form-data; name="file"; filename="a.jpg"'
    yield f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
    yield from pieces(size_bytes)
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def answer_to(mill: Mill, body: Iterator[bytes], content_type: str, length: int | None) -> bytes:
    """Everything that is answered; sent by hand, because clients of the library read only when all is sent."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    head = f"POST /api/v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n{framing}\r\n"
    with socket.create_connection(("127.0.0.1", mill.port), timeout=120) as client:
        client.sendall(f"{head}Connection: close\r\n\r\n".encode())
        with contextlib.suppress(OSError):  # who sends on and on is told no, and then not listened to any more
            for piece in body:
                client.sendall(piece if length is not None else b"%x\r\n%s\r\n" % (len(piece), piece))
            if length is None:
                client.sendall(b"0\r\n\r\n")
        return b"".join(iter(lambda: client.recv(65536), b""))


def worker_pid(mill: Mill) -> int:
    return int(Path(f"/proc/{mill.pid('api')}/task/{mill.pid('api')}/children").read_text().split()[0])


def rss_mib(pid: int, what: str) -> float:
    found = re.search(rf"^{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


@pytest.mark.parametrize("kind", ["raw", "chunked", "form"])
def test_a_body_of_a_gibibyte_moves_memory_little_and_is_refused(mill: Mill, kind: str) -> None:
    mill.accepted(PICTURE)
    # What the one before sent on and on is read on for some seconds, and its place is held so long.
    wait_for(lambda: held(mill, "disk") == held(mill, "memory") == 0, "room")
    pid = worker_pid(mill)
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is that from now on
    before = rss_mib(pid, "VmRSS")
    if kind == "form":
        length = sum(len(piece) for piece in form_of(0)) + GIBIBYTE - MEBIBYTE
        answer = answer_to(mill, form_of(GIBIBYTE - MEBIBYTE), f"multipart/form-data; boundary={BOUNDARY}", length)
    else:
        answer = answer_to(mill, pieces(GIBIBYTE), "image/jpeg", GIBIBYTE if kind == "raw" else None)
    assert answer.startswith(b"HTTP/1.1 413 "), answer[:200]
    assert rss_mib(pid, "VmHWM") - before <= 64
    assert held(mill, "disk") == held(mill, "memory") == 0


def held(mill: Mill, where: str) -> float:
    found = re.search(rf'imagemill_upload_bytes{{where="{where}"}} (\S+)', mill.metrics("api"))
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/cameras", "POST"), ("/rules", "POST"), ("/api/v1/rules/night", "PUT"),
        ("/pictures/00000000-0000-7000-8000-000000000000/again", "POST"),
        ("/api/v1/images/00000000-0000-7000-8000-000000000000/again", "POST"),
    ],
)  # fmt: skip
def test_what_takes_no_pictures_takes_no_large_bodies(mill: Mill, path: str, method: str) -> None:
    file = {"file": ("a.jpg", bytes(MEBIBYTE))}
    answer = requests.request(method, f"{mill.url}{path}", files=file, data={"recipe": "gray"}, timeout=60)
    assert answer.status_code in (404, 405, 413), answer.text
    assert held(mill, "disk") == 0


def test_forms_that_are_too_many_for_the_space_are_asked_to_come_again(mill: Mill) -> None:
    size = 30 * MEBIBYTE
    length = sum(len(piece) for piece in form_of(0)) + size
    head = f"POST /api/v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nConnection: close\r\n"
    content_type = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    parts = list(form_of(size))
    with socket.create_connection(("127.0.0.1", mill.port), timeout=120) as first:
        first.sendall((head + content_type).encode())
        for part in parts[:-1]:
            first.sendall(part)
        wait_for(lambda: held(mill, "disk") >= size - MEBIBYTE, "most of the first to be spooled", 8)
        second = requests.post(f"{mill.url}/api/v1/images", files={"file": ("b.jpg", bytes(9 * MEBIBYTE))}, timeout=60)
        assert (second.status_code, second.json()["code"]) == (503, "too-many-uploads")
        assert second.headers["Retry-After"] == "5"
        first.sendall(parts[-1])
        assert b"".join(iter(lambda: first.recv(65536), b"")).startswith(b"HTTP/1.1 4")
    assert mill.upload(PICTURE).status_code == 202


def test_raw_bodies_that_are_too_many_for_the_memory_are_asked_to_come_again(mill: Mill) -> None:
    size = 30 * MEBIBYTE
    head = f"POST /image HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", mill.port), timeout=120) as first:
        first.sendall(head.encode() + bytes(MEBIBYTE))
        wait_for(lambda: held(mill, "memory") == size, "the first to be read", 8)
        second = requests.post(f"{mill.url}/image", bytes(20 * MEBIBYTE), timeout=60)
        assert (second.status_code, second.json()["code"]) == (503, "too-many-uploads")
    wait_for(lambda: held(mill, "memory") == 0, "the first to be gone")
