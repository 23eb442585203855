"""What a person waits for: the bytes of a page, when its largest part is painted, and how much moves afterwards."""

import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from selenium.webdriver import Chrome

from browsing import CHROMIUM, DRIVER, headless

_REPEATS = 5
_OBSERVE = """
window.moved = 0; window.painted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.moved += entry.value;
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.painted = entry.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
"""
_SETTLED = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 500)));"
_BYTES = """
const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
return entries.reduce((sum, entry) => sum + entry.transferSize, 0);
"""


@dataclass(frozen=True)
class Painting:
    """Medians of a page that is opened with an empty cache; `shift` is the largest."""

    paint_ms: float
    shift: float
    sent_bytes: int


def painted(url: str, pages: Mapping[str, str]) -> dict[str, Painting]:
    """Open each page some times."""
    with _opened() as driver:
        return {name: _painting(driver, url + path) for name, path in pages.items() if not path.startswith("/api/v1")}


@contextmanager
def _opened() -> Iterator[Chrome]:
    with headless() as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _OBSERVE})
        yield driver


def _painting(driver: Chrome, address: str) -> Painting:
    paints, shifts, sizes = [], [], []
    for _ in range(_REPEATS):
        driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        driver.get(address)
        driver.execute_async_script(_SETTLED)
        paint, shift = driver.execute_script("return [window.painted, window.moved]")
        paints.append(paint)
        shifts.append(shift)
        sizes.append(driver.execute_script(_BYTES))
    return Painting(statistics.median(paints), max(shifts), int(statistics.median(sizes)))


def is_there() -> bool:
    """Whether there is a browser to look with."""
    return CHROMIUM.exists() and DRIVER.exists()
