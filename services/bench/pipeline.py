"""`make bench-pipeline`: CPU per image, accept rate and an end-to-end run, as ratios within this run."""

import contextlib
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pika
import requests

import pictures
from bench.cpu import bench_cpu
from bench.surroundings import mill, peak_rss_mib, servers, variants
from bench.table import show
from imagemill.local.couch import CouchServer
from imagemill.local.ports import free_ports
from imagemill.local.process import kill_child, start_child
from imagemill.local.rabbit import RabbitServer
from mill import Mill, adds_up, wait_for

ACCEPT_CLIENTS = 16
ACCEPT_REQUESTS = 30
ROUNDS = 3
END_TO_END = 2000


# --- accept rate --------------------------------------------------------------------------------------


def accept_rate(url: str, salt: str, base: list[bytes]) -> tuple[float, float]:
    """Requests per second of 16 clients, and the median answer time in ms."""
    data = variants(base, ACCEPT_CLIENTS * ACCEPT_REQUESTS, salt)
    times: list[float] = []

    def client(number: int) -> None:
        # http.client costs a fraction of what requests does: the load must not be what is measured.
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        with contextlib.closing(connection):
            for item in data[number::ACCEPT_CLIENTS]:
                began = time.monotonic()
                connection.request("POST", "/image", item, {"Content-Type": "image/jpeg"})
                answer = connection.getresponse()
                text = answer.read()
                assert answer.status == 202, text
                times.append(time.monotonic() - began)

    began = time.monotonic()
    threads = [threading.Thread(target=client, args=(n,)) for n in range(ACCEPT_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(data) / (time.monotonic() - began), statistics.median(times) * 1000


@contextmanager
def naive(folder: Path, rabbit: RabbitServer, couch: CouchServer, **environment: str) -> Iterator[str]:
    (port,) = free_ports(1)
    environment = {**os.environ, "AMQP_URL": rabbit.amqp_url, "COUCHDB_URL": couch.url, **environment}
    with (folder / f"naive-{port}.log").open("wb") as log:
        process = start_child([sys.executable, "-m", "bench.naive", str(port)], environment=environment, output=log)
    try:
        wait_for(lambda: _answers(f"http://127.0.0.1:{port}/"), "the straightforward route")
        yield f"http://127.0.0.1:{port}"
    finally:
        kill_child(process)


def _prepare_naive(rabbit: RabbitServer, couch: CouchServer) -> None:
    requests.put(f"{couch.url}/naive", timeout=30).raise_for_status()
    connection = pika.BlockingConnection(pika.URLParameters(rabbit.amqp_url))
    connection.channel().queue_declare("naive", durable=True, arguments={"x-queue-type": "quorum"})
    connection.close()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code > 0
    except requests.RequestException:
        return False


def bench_accept(folder: Path, rabbit: RabbitServer, couch: CouchServer) -> None:
    base = [pictures.photo_jpeg(1920, 1080, seed, quality=76) for seed in range(8)]
    rounds = []
    _prepare_naive(rabbit, couch)
    with (
        mill(folder, rabbit, couch, "accept") as running,
        naive(folder, rabbit, couch) as plain,
        naive(folder, rabbit, couch, NAIVE_TUNED="1") as tuned,
    ):
        running.start("writer", "api")
        for n in range(ROUNDS + 1):
            turns = [accept_rate(url, f"{n}-{k}", base) for k, url in enumerate((running.url, plain, tuned))]
            rounds += [turns] if n else []  # the first round warms all up
    names = ("Imagemill", "one put + one confirmed publish, the client as it comes", "the same, compression off")
    goals = ("", "≥ 1.5", "")
    size = statistics.mean(len(item) for item in base) / 1000
    show(
        f"Accept rate, {size:.0f} kB JPEGs, {ACCEPT_CLIENTS} clients (medians of {ROUNDS} rounds in turns)",
        ["what", "images/s", "median answer, ms", "Imagemill ÷ this", "goal"],
        [[name, *_rates(rounds, n), goal] for n, (name, goal) in enumerate(zip(names, goals, strict=True))],
    )


def _rates(rounds: list[list[tuple[float, float]]], column: int) -> list[str]:
    """Images a second, milliseconds to the answer, and the ratio of the turns of each round."""
    rate = statistics.median(turns[column][0] for turns in rounds)
    answer = statistics.median(turns[column][1] for turns in rounds)
    ratio = statistics.median(turns[0][0] / turns[column][0] for turns in rounds)
    return [f"{rate:.0f}", f"{answer:.0f}", f"{ratio:.2f}"]


# --- end to end ---------------------------------------------------------------------------------------


def bench_end_to_end(folder: Path, rabbit: RabbitServer, couch: CouchServer) -> None:
    base = [pictures.photo_jpeg(1280, 720, seed) for seed in range(20)]
    with mill(folder, rabbit, couch, "all") as running:
        running.start("writer", "api", "worker", "worker:2", "journal")
        running.upload(pictures.photo_jpeg(4000, 3000, 1), recipe="gray", wait="60").raise_for_status()
        began = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            list(
                pool.map(
                    lambda n: running.accepted(*variants(base, 20, str(n)), recipe="gray"), range(END_TO_END // 20)
                )
            )
        accepted = time.monotonic() - began
        counts = running.all_ended(900)
        took = time.monotonic() - began
        rss = {name: peak_rss_mib(running.pid(name)) for name in ("api", "worker", "worker:2", "writer", "journal")}
        big = big_picture_rss(running)
    equation = "{accepted:,} accepted = {stored:,} stored + {failed} failed + {in_flight} in flight".format(**counts)
    balanced = adds_up(counts) and counts["stored"] == END_TO_END + 1 and counts["failed"] == 0
    show(
        f"{END_TO_END:,} pictures of 720p end to end, two workers",
        ["what", "figure"],
        [
            ["accepted all in", f"{accepted:.1f} s"],
            ["stored all in", f"{took:.1f} s ({END_TO_END / took:.0f} images/s)"],
            ["ledger", f"{equation}: {'balanced, nothing lost' if balanced else 'NOT BALANCED'}"],
            *[[f"peak RSS of {name}", f"{value:.0f} MiB"] for name, value in rss.items()],
            ["peak RSS of worker after 12 MP pictures (goal ≤ 250 MiB)", f"{big:.0f} MiB"],
        ],
    )  # fmt: skip


def big_picture_rss(running: Mill) -> float:
    for seed in range(4):
        running.accepted(pictures.photo_jpeg(4000, 3000, 50 + seed), recipe=["gray", "compress", "thumbnail"])
    running.all_ended(300)
    return max(peak_rss_mib(running.pid(name)) for name in ("worker", "worker:2"))


PARTS: dict[str, Callable[[Path, RabbitServer, CouchServer], None]] = {
    "cpu": bench_cpu,
    "accept": bench_accept,
    "end-to-end": bench_end_to_end,
}


def main() -> None:
    wanted = sys.argv[1:] or list(PARTS)
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="imagemill-bench-") as folder, servers(Path(folder)) as (rabbit, couch):
            PARTS[name](Path(folder), rabbit, couch)


if __name__ == "__main__":
    main()
