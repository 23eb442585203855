"""`make bench-door`: what hostile clients and many open pages do to others, as ratios within this run."""

import contextlib
import http.client
import selectors
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pictures
import trickling
from bench.authentication import bench_authentication
from bench.fairness import bench_fairness
from bench.surroundings import cpu_seconds, mill, servers, tree_of, variants
from bench.table import show
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for

SLOW = 200
CLIENTS = 4
UPLOADS = 50
ROUNDS = 2
GIBIBYTE = 1 << 30
PAGES = 2000
PICTURES_WHILE_OPEN = 100


# --- slow clients ---------------------------------------------------------------------------------


def upload_times(running: Mill, salt: str, base: list[bytes]) -> list[float]:
    """Milliseconds to the answer of each of some hundred uploads."""
    data, times = variants(base, CLIENTS * UPLOADS, salt), list[float]()

    def client(number: int) -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=120)) as connection:
            for item in data[number::CLIENTS]:
                began = time.monotonic()
                connection.request("POST", "/image", item, {"Content-Type": "image/jpeg"})
                assert connection.getresponse().read()
                times.append((time.monotonic() - began) * 1000)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


@contextmanager
def watched_health(running: Mill) -> Iterator[list[float]]:
    """Milliseconds to each answer of /healthz meanwhile."""
    times, stopping = list[float](), threading.Event()

    def watch() -> None:
        while not stopping.wait(0.25):
            times.append(trickling.seconds_of(lambda: running.health("api", "/healthz")) * 1000)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield times
    finally:
        stopping.set()
        thread.join()


def bench_slow(folder: Path, rabbit: RabbitServer, couch: CouchServer) -> None:
    base = [pictures.photo_jpeg(1920, 1080, seed) for seed in range(4)]
    stopped = {
        "bodies that stop after 64 KiB": trickling.STARTED_BODY,
        "large ones that do": trickling.STARTED_LARGE_BODY,
    }
    kinds = {"nobody else": None, **trickling.KINDS, **stopped}
    found: dict[str, list[float]] = {name: [] for name in kinds}
    health: dict[str, list[float]] = {name: [] for name in kinds}
    with mill(folder, rabbit, couch, "slow") as running:
        running.start("writer", "api", inline_max_bytes=0)
        upload_times(running, "warm-up", base)
        for turn in range(ROUNDS):
            for name, beginning in kinds.items():
                slow = trickling.trickling(running.port, beginning, SLOW) if beginning else contextlib.nullcontext()
                with slow, watched_health(running) as times:
                    found[name] += upload_times(running, f"{turn}-{name}", base)
                health[name] += times
    alone = percentile(found["nobody else"], 99)
    show(
        f"Uploads beside {SLOW} slow clients ({ROUNDS} rounds of {CLIENTS * UPLOADS} in turns)",
        ["beside", "p50, ms", "p99, ms", "p99 ÷ that without", "goal", "/healthz, p99, ms", "goal"],
        [
            [
                name,
                f"{percentile(times, 50):.0f}",
                f"{percentile(times, 99):.0f}",
                f"{percentile(times, 99) / alone:.2f}",
                "" if name == "nobody else" else "≤ 2",
                f"{percentile(health[name], 99):.0f}",
                "< 100",
            ]
            for name, times in found.items()
        ],
    )


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


# --- large bodies ---------------------------------------------------------------------------------


def bench_bodies(folder: Path, rabbit: RabbitServer, couch: CouchServer) -> None:
    rows = []
    with mill(folder, rabbit, couch, "bodies") as running:
        running.start("writer", "api")
        running.accepted(pictures.photo_jpeg(1920, 1080, 1))
        pid = tree_of(running.pid("api"))[-1]
        for name, form in (("raw", False), ("one file of a form", True)):
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is that from now on
            before = memory_mib(pid, "VmRSS")
            answer = send_gibibyte(running.port, form)
            rows.append([name, answer, f"{memory_mib(pid, 'VmHWM') - before:.0f} MiB", "≤ 64 MiB"])
    show("Bodies of a gibibyte", ["body", "answer", "resident memory moves by", "goal"], rows)


def send_gibibyte(port: int, form: bool) -> str:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' if form else b""
    kind = "multipart/form-data; boundary=b" if form else "image/jpeg"
    head = f"POST /api/v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {GIBIBYTE}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=120) as client:
        client.sendall(head.encode() + b"Connection: close\r\n\r\n" + part)
        with contextlib.suppress(OSError):
            for _ in range(1024):
                client.sendall(bytes(1 << 20)[len(part) :])
                part = b""
        return client.recv(65536).split(b"\r\n")[0].decode()


def memory_mib(pid: int, what: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) / 1024


# --- open pages -----------------------------------------------------------------------------------


class Pages:
    """Open event streams; how many have heard of a picture."""

    def __init__(self, port: int, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._open = []
        for _ in range(count):
            page = socket.create_connection(("127.0.0.1", port), timeout=60)
            page.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self._open.append(page)
        for page in self._open:
            assert page.recv(65536).startswith(b"HTTP/1.1 200 ")
            page.setblocking(False)
            self._selector.register(page, selectors.EVENT_READ)
        self.received_bytes, self.ended = 0, 0
        self._wanted, self._heard = b"", set[int]()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._stopping.is_set():
            for key, _ in self._selector.select(0.2):
                assert isinstance(key.fileobj, socket.socket)
                data = key.fileobj.recv(262_144)
                self.received_bytes += len(data)
                if not data:
                    self.ended += 1
                    self._selector.unregister(key.fileobj)
                if self._wanted and self._wanted in data:
                    self._heard.add(key.fd)

    def listen_for(self, wanted: str) -> None:
        self._heard.clear()
        self._wanted = wanted.encode()

    @property
    def heard(self) -> int:
        return len(self._heard)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        for page in self._open:
            page.close()


def bench_pages(folder: Path, rabbit: RabbitServer, couch: CouchServer) -> None:
    base = [pictures.photo_jpeg(640, 480, seed) for seed in range(4)]
    with mill(folder, rabbit, couch, "pages") as running:
        running.start("writer", "api", "worker")
        pid = tree_of(running.pid("api"))[-1]
        _, alone_cpu = work(running, pid, variants(base, PICTURES_WHILE_OPEN, "alone"))
        before = memory_mib(pid, "VmRSS")
        with contextlib.closing(Pages(running.port, PAGES)) as pages:
            opened = memory_mib(pid, "VmRSS")
            idle_from, cpu_from = time.monotonic(), cpu_seconds(pid)
            time.sleep(10)
            idle = (cpu_seconds(pid) - cpu_from) / (time.monotonic() - idle_from)
            seconds, cpu = work(running, pid, variants(base, PICTURES_WHILE_OPEN, "open"))
            received = pages.received_bytes
            pages.listen_for('"batch": "the-last"')
            began = time.monotonic()
            running.accepted(pictures.photo_jpeg(640, 480, 99), batch="the-last")
            wait_for(lambda: pages.heard == PAGES, "all pages to hear of a picture", 60)
            all_heard = time.monotonic() - began
            ended = pages.ended
        peak = memory_mib(pid, "VmHWM")
    each_kb = received / PAGES / 1000
    show(
        f"{PAGES:,} open pages at one API ({running.log('api').count('error')} errors in its log)",
        ["what", "figure", "goal"],
        [
            ["pages that were ended or missed a picture", f"{ended}", "0"],
            ["from an upload until all have heard of it", f"{all_heard:.2f} s", ""],
            ["processor, nothing happens", f"{idle:.1%} of one", ""],
            [
                f"processor, {PICTURES_WHILE_OPEN} pictures in {seconds:.1f} s, {each_kb:.0f} kB to each",
                f"{cpu / seconds:.0%} of one; {cpu / alone_cpu:.1f} × that without pages",
                "≤ 100%",
            ],
            ["resident memory", f"{opened:.0f} MiB, of which pages {opened - before:.0f} MiB", ""],
            ["its peak", f"{peak:.0f} MiB", "≤ 150 MiB"],
        ],
    )


def work(running: Mill, pid: int, data: list[bytes]) -> tuple[float, float]:
    """Some pictures come and are done: wall and processor seconds of the API."""
    began, before = time.monotonic(), cpu_seconds(pid)
    for n in range(0, len(data), 5):
        running.accepted(*data[n : n + 5])
    running.all_ended(300)
    return time.monotonic() - began, cpu_seconds(pid) - before


PARTS: dict[str, Callable[[Path, RabbitServer, CouchServer], None]] = {
    "authentication": bench_authentication,
    "fairness": bench_fairness,
    "slow": bench_slow,
    "bodies": bench_bodies,
    "pages": bench_pages,
}


def main() -> None:
    wanted = sys.argv[1:] or list(PARTS)
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="imagemill-bench-") as folder, servers(Path(folder)) as (rabbit, couch):
            PARTS[name](Path(folder), rabbit, couch)


if __name__ == "__main__":
    main()
