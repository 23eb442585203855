"""`make bench-pages`: CPU time, wall time, bytes and painting of each page, by how many pictures the ledger has."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.against_peers import Addresses, servers_met
from bench.pages.filling import Filling
from bench.pages.painting import Painting, is_there, painted
from bench.surroundings import cpu_seconds
from bench.table import show
from imagemill.process.stores import open_stores
from imagemill.settings import Settings
from mill import Mill

SIZES = (1_000, 10_000, 100_000)
_WARM = 3
_GOAL_MS = 30
# As a person asks who types an address: that may be compressed.
_BROWSER = {"Accept": "text/html", "Accept-Encoding": "gzip", "Sec-Fetch-Site": "none"}


@dataclass(frozen=True)
class Cost:
    """What one page costs: medians of its requests, but for the 95th percentile of the wall time."""

    api_ms: float
    couchdb_ms: float
    wall_ms: float
    wall_p95_ms: float
    sent_bytes: int


Costs = Mapping[str, Cost]
_PAINT_GOAL_MS, _SHIFT_GOAL, _FIRST_GOAL_KB = 1000, 0.02, 100


def pages_of(filling: Filling) -> dict[str, str]:
    """Addresses of the pages by their names."""
    failed = next(n for n in range(filling.size // 2, filling.size) if filling.has_failed(n))
    batch = filling.batch(filling.size // 2)
    return {
        "Upload": "/",
        "Pictures": "/pictures",
        "Pictures, stored": "/pictures?state=stored",
        "Pictures, in flight": "/pictures?state=in_flight",
        "a picture": f"/pictures/{filling.ids[filling.size // 2]}",
        "a failed picture": f"/pictures/{filling.ids[failed]}",
        "Batches": "/batches",
        "a batch": f"/batches/{batch}",
        "Failures": "/failures",
        "Failures, one code": "/failures?code=crashed",
        "Failures, no match": "/failures?code=unknown-recipe",
        "Live (the log)": "/live",
        "Alerts": "/alerts",
        "Cameras": "/cameras",
        "Pools": "/pools",
        "Changes": "/access/changes",
        "finder, a name": "/find?q=IMG_00000",
        "finder, no match": "/find?q=nothing-like-it",
        "finder, a batch's beginning": "/find?q=trip-0",
        "totals (API)": "/api/v1/totals",
    }


def cost_of(session: requests.Session, url: str, api: int, couchdb: int | None, repeats: int) -> Cost:
    """Ask for a page again and again; what each request uses is read before and after it."""
    found: list[tuple[float, float, float, int]] = []
    for _ in range(_WARM + repeats):
        before, before_couchdb, began = cpu_seconds(api), cpu_seconds(couchdb) if couchdb else 0.0, time.monotonic()
        answer = session.get(url, headers=_BROWSER, timeout=600, stream=True)
        sent = len(answer.raw.read(decode_content=False))
        wall = time.monotonic() - began
        assert answer.status_code == requests.codes.ok, f"{url}: {answer.status_code}"
        used_couchdb = cpu_seconds(couchdb) - before_couchdb if couchdb else 0.0
        found.append((cpu_seconds(api) - before, used_couchdb, wall, sent))
    api_s, couchdb_s, wall_s, sizes = zip(*found[_WARM:], strict=True)
    return Cost(
        statistics.median(api_s) * 1000, statistics.median(couchdb_s) * 1000, statistics.median(wall_s) * 1000,
        statistics.quantiles(wall_s, n=20)[18] * 1000, int(statistics.median(sizes)),
    )  # fmt: skip


def measure(folder: Path, size: int, addresses: Addresses, couchdb: int | None, repeats: int) -> Costs:
    """Fill a ledger, start an API before it, and ask for all pages."""
    prefix = f"bench-pages-{size}"
    settings = Settings(couchdb_url=addresses.couchdb_url, couchdb_prefix=prefix)
    stores, filling = open_stores(settings), Filling(size)
    began = time.monotonic()
    try:
        stores.prepare(settings)
        filling.write(stores, addresses.couchdb_url)
        print(f"{size:,} pictures written in {time.monotonic() - began:.0f} s", flush=True)
        (folder / prefix).mkdir()
        with closing(Mill(folder / prefix, addresses.amqp_url, addresses.couchdb_url, prefix)) as running:
            running.start("api")
            with requests.Session() as session:
                session.get(running.url, timeout=600)  # the views are made now
                print(f"ready after {time.monotonic() - began:.0f} s", flush=True)
                costs = {
                    name: cost_of(session, running.url + path, running.pid("api"), couchdb, repeats)
                    for name, path in pages_of(filling).items()
                }
            if is_there():
                report_paintings(size, painted(running.url, pages_of(filling)))
            return costs
    finally:
        for name in stores.admin.database_names(""):
            stores.admin.database(name).delete()


def report_paintings(size: int, found: Mapping[str, Painting]) -> None:
    """A table of what the browser saw."""
    goals = f"goals: painted in {_PAINT_GOAL_MS} ms, shift {_SHIFT_GOAL}, the first page {_FIRST_GOAL_KB} kB"
    show(
        f"{size:,} pictures in Chromium, nothing in its cache; {goals}",
        ["page", "largest paint, ms", "layout shift", "kB"],
        [
            [name, f"{one.paint_ms:.0f}", f"{one.shift:.3f}", f"{one.sent_bytes / 1000:.1f}"]
            for name, one in found.items()
        ],
    )


def report(measured: Mapping[int, Costs]) -> None:
    """A table for each size, with the ratios to the smallest, and what a page is at worst."""
    base = measured[min(measured)]
    for size, costs in measured.items():
        rows = [
            [
                name, f"{cost.api_ms:.1f}", f"{cost.couchdb_ms:.1f}", f"{cost.wall_ms:.0f}", f"{cost.wall_p95_ms:.0f}",
                f"{cost.sent_bytes / 1000:.1f}", f"{cost.api_ms / base[name].api_ms:.2f}",
                f"{cost.couchdb_ms / max(base[name].couchdb_ms, 0.01):.2f}", f"{cost.wall_ms / base[name].wall_ms:.2f}",
            ]
            for name, cost in costs.items()
        ]  # fmt: skip
        show(
            f"{size:,} pictures; goal: ≤ {_GOAL_MS} ms of CPU, and every ratio about 1",
            ["page", "API CPU, ms", "CouchDB CPU, ms", "p50, ms", "p95, ms", "kB", "API ÷", "CouchDB ÷", "p50 ÷"], rows,
        )  # fmt: skip
        worst = max(costs, key=lambda name: costs[name].api_ms)
        print(f"most of the API's CPU time: {worst}, {costs[worst].api_ms:.1f} ms")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure one size after the other."""
    parser = argparse.ArgumentParser(prog="make bench-pages")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="how many pictures, smallest first")
    parser.add_argument("--repeats", type=int, default=15, help="requests of each page")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="imagemill-pages-") as text, servers_met(Path(text)) as (addresses, pids):
        couchdb = next(iter(pids.get("CouchDB", [])), None)
        report({
            size: measure(Path(text), size, addresses, couchdb, wanted.repeats) for size in sorted(wanted.sizes)
        })  # fmt: skip


if __name__ == "__main__":
    main()
