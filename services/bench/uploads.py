"""`make bench-uploads`: many files in the panel of uploads, in Chromium: frames, heap, requests, and what is sent."""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from selenium import webdriver

import pictures
from bench.against_peers import servers_met
from bench.table import show
from browsing import headless
from mill import Mill
from uploading import drop, total

_GOAL_MS = 32
_SCROLL_SECONDS = 10
_TIMEOUT_SECONDS = 3600
# What the machine lets any page do at that moment; the goal can be judged where this is below it.
_EMPTY_PAGE = "data:text/html,<div style='height: 500000px'></div>"
# Up and down through the whole list, a screenful a frame.
_FRAMES = """
const [seconds, done] = arguments, gaps = [];
const scroller = document.querySelector('.sheet-scroll') ?? document.scrollingElement;
let last = performance.now(), at = 0, step = 500;
const until = last + 1000 * seconds;
requestAnimationFrame(function frame(now) {
  gaps.push(now - last);
  last = now;
  at += step;
  if (at < 0 || at > scroller.scrollHeight - scroller.clientHeight) step = -step;
  scroller.scrollTop = at;
  if (now < until) requestAnimationFrame(frame);
  else done(gaps.slice(5));
});
"""


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Headless, with a profile of its own."""
    with headless("--enable-precise-memory-info", f"--user-data-dir={profile}") as driver:
        driver.set_script_timeout(_TIMEOUT_SECONDS)
        yield driver


def folder_of(place: Path, count: int) -> Path:
    """So many small photos, a hundred in each folder."""
    for index in range(count):
        path = place / f"trip-{index // 100:03}" / f"IMG_{index:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pictures.photo_jpeg(64, 48, seed=index))
    return place


def posts(mill: Mill, route: str) -> int:
    """How many POST requests the API answered there."""
    lines = [line for line in mill.metrics("api").splitlines() if line.startswith("imagemill_http_requests_total{")]
    of = [line for line in lines if 'method="POST"' in line and f'route="{route}"' in line]
    return sum(int(float(line.rpartition(" ")[2])) for line in of)


def dropped(driver: webdriver.Chrome, mill: Mill, folder: Path, batch: str, until: str) -> float:
    """Drop a folder into a batch and wait for words of the panel; how many seconds that took."""
    driver.get("about:blank")
    driver.get(f"{mill.url}/?batch={batch}")
    time.sleep(3)
    began = time.monotonic()
    drop(driver, [folder])
    while until not in panel(driver) and time.monotonic() - began < _TIMEOUT_SECONDS:
        time.sleep(0.2)
    return time.monotonic() - began


def panel(driver: webdriver.Chrome) -> str:
    """All that the panel says."""
    return str(driver.execute_script("return document.querySelector('#progress')?.textContent ?? ''"))


def frames(driver: webdriver.Chrome) -> list[str]:
    """Scroll for a while: median and 95th percentile of the time between frames, elements and heap."""
    gaps: list[float] = driver.execute_async_script(_FRAMES, _SCROLL_SECONDS)
    heap = driver.execute_script("return performance.memory.usedJSHeapSize")
    rows = driver.execute_script("return document.querySelectorAll('.sheet-row').length")
    p95 = statistics.quantiles(gaps, n=20)[18]
    return [f"{statistics.median(gaps):.1f}", f"{p95:.1f}", str(rows), f"{heap / 1e6:.1f}"]


def measure(mill: Mill, driver: webdriver.Chrome, place: Path, many: int, known: int) -> None:
    """Many new files, frames while they are sent; then those of which all is known."""
    folder = folder_of(place / "many", many)
    dropped(driver, mill, folder, "many", f"{many:,} offered")
    while_sending = frames(driver)
    began = time.monotonic()
    while " to send" in total(driver) and time.monotonic() - began < _TIMEOUT_SECONDS:
        time.sleep(0.5)
    rows = [["while they are sent", *while_sending], ["when all are sent", *frames(driver)]]
    driver.get(_EMPTY_PAGE)
    rows.append(["an empty page, then", *frames(driver)])
    show(
        f"{many:,} files; goal: p95 ≤ {_GOAL_MS} ms; load {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors",
        ["", "frame p50, ms", "frame p95, ms", "rows as elements", "heap of the page, MB"], rows,
    )  # fmt: skip
    print(f"{posts(mill, '/api/v1/images')} uploads and {posts(mill, '/api/v1/known')} questions what is known")
    part = place / "many-2"
    part.mkdir()
    for entry in sorted((place / "many").iterdir())[: known // 100]:
        entry.rename(part / entry.name)
    rows = []
    for what, until in (
        ("known files", f"{known:,} files known"),
        ("the same again", f"{known:,} in this batch already"),
    ):
        sent, asked = posts(mill, "/api/v1/images"), posts(mill, "/api/v1/known")
        took = dropped(driver, mill, part, "known", until)
        rows.append([
            what, f"{took:.1f}", str(posts(mill, "/api/v1/images") - sent), str(posts(mill, "/api/v1/known") - asked),
            "none" if "no bytes sent" in panel(driver) else "some",
        ])  # fmt: skip
    show(f"{known:,} known files", ["", "seconds", "uploads", "questions", "bytes of files sent"], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(prog="make bench-uploads")
    parser.add_argument("--many", type=int, default=10_000, help="new files")
    parser.add_argument("--known", type=int, default=2_000, help="files that the service has")
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="imagemill-uploads-") as text, servers_met(Path(text)) as (addresses, _):
        place = Path(text)
        (place / "mill").mkdir()
        mill = Mill(place / "mill", addresses.amqp_url, addresses.couchdb_url, "bench-uploads")
        with closing(mill), chromium(place / "profile") as driver:
            mill.start("writer", "api", "worker")
            measure(mill, driver, place, wanted.many, wanted.known)


if __name__ == "__main__":
    main()
