"""What the benchmarks of the pipeline share: servers, an Imagemill on them, what its processes use, and pictures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagemill.local.couch import CouchServer, local_couch
from imagemill.local.rabbit import RabbitServer
from mill import Mill


@contextmanager
def servers(folder: Path) -> Iterator[tuple[RabbitServer, CouchServer]]:
    rabbit, couch = RabbitServer(folder / "rabbitmq"), local_couch(folder / "couchdb")
    try:
        rabbit.start()
        couch.start()
        yield rabbit, couch
    finally:
        rabbit.kill()
        couch.kill()


@contextmanager
def chosen_servers(folder: Path) -> Iterator[tuple[str, str]]:
    """The addresses of a broker and a CouchDB: those of AMQP_URL and COUCHDB_URL, else of servers started for this."""
    rabbit = None if "AMQP_URL" in os.environ else RabbitServer(folder / "rabbitmq")
    couch = None if "COUCHDB_URL" in os.environ else local_couch(folder / "couchdb")
    started = [server for server in (rabbit, couch) if server is not None]
    try:
        for server in started:
            server.start()
        yield (
            rabbit.amqp_url if rabbit else os.environ["AMQP_URL"],
            couch.url if couch else os.environ["COUCHDB_URL"].rstrip("/"),
        )
    finally:
        for server in started:
            server.kill()


@contextmanager
def mill(folder: Path, rabbit: RabbitServer, couch: CouchServer, prefix: str) -> Iterator[Mill]:
    folder = folder / prefix
    folder.mkdir()
    running = Mill(folder, rabbit.amqp_url, couch.url, prefix)
    try:
        yield running
    finally:
        running.close()


def tree_of(pid: int) -> list[int]:
    """The process and its descendants."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]  # fmt: skip
    return [pid, *(descendant for child in children for descendant in tree_of(child))]


def cpu_seconds(pid: int) -> float:
    """CPU time (user and system) of a process and its living descendants, to the nanosecond."""
    threads = [task for p in tree_of(pid) for task in Path(f"/proc/{p}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in threads) / 1e9


def peak_rss_mib(pid: int) -> float:
    """Largest peak of resident memory of a process and its descendants."""

    def peak(p: int) -> int:
        lines = Path(f"/proc/{p}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

    return max(peak(p) for p in tree_of(pid)) / 1024


def variants(base: list[bytes], count: int, salt: str) -> list[bytes]:
    """As many different files as wanted: the same pixels with another comment segment."""
    made = []
    for n in range(count):
        comment = f"{salt}-{n}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        made.append(base[n % len(base)][:2] + segment + base[n % len(base)][2:])
    return made
