"""Pages are light, and nothing on them moves by itself."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from selenium.webdriver import Chrome

import pictures
from browsing import Open, before_any_script, text
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from scaler import scaler

SECONDS = 20
MOST_SHIFT = 0.02
MOST_BYTES = 100_000
BATCH = "layout"
PAGES = (
    "/", "/pictures", "/batches", f"/batches/{BATCH}", "/pools", "/failures", "/live", "/cameras", "/alerts",
    "/alerts/rules", "/webhooks", "/find?q=picture", "/access", "/api/docs",
)  # fmt: skip
# The browser tells of those from before the observer too, and of none that a person has brought about.
_OBSERVE = """
window.moved = 0;
window.movers = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.moved += entry.value;
    for (const { node, previousRect, currentRect } of entry.sources) {
      const { outerHTML = node?.textContent } = node ?? {};
      window.movers.push(JSON.stringify([outerHTML?.slice(0, 200), previousRect, currentRect]));
    }
  }
}).observe({ type: "layout-shift", buffered: true });
"""
_BYTES = """
const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
return entries.reduce((sum, entry) => sum + entry.transferSize, 0);
"""
# Twice the next frame, and half a second in which whatever comes late has come.
_SETTLED = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 500)));"


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    """With a scaler and a batch in which some are stored, one failed and one was refused."""
    folder = tmp_path_factory.mktemp("mill")
    with scaler() as address, running_mill(rabbit, couch, folder, pools_url=address) as running:
        running.accepted(*(pictures.photo_jpeg(320, 240, seed) for seed in range(4)), batch=BATCH)
        running.accepted(pictures.bomb_png_header(300, 200), batch=BATCH)
        running.upload(b"no picture", batch=BATCH)
        running.all_ended()
        yield running


def settled(driver: Chrome, address: str) -> None:
    driver.get(address)
    wait_for(lambda: text(driver, ".pulse") in ("live", ""), "the page to be live", SECONDS)
    driver.execute_async_script(_SETTLED)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", PAGES)
def test_nothing_moves_by_itself(mill: Mill, browser: Open, page: str, width: int) -> None:
    driver = browser(width=width)
    with before_any_script(driver, _OBSERVE):
        settled(driver, mill.url + page)
        moved, movers = driver.execute_script("return [window.moved, window.movers]")
        assert moved <= MOST_SHIFT, "\n".join(movers)


@contextmanager
def in_halves(address: str, first_part_ends: bytes) -> Iterator[str]:
    """The page at an address, of which the rest comes a second later than its first part."""
    halved: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/api/"):  # nothing of what follows the page along
                self.send_error(404)
                return
            answer = requests.get(address + self.path, timeout=SECONDS, headers={"Accept-Encoding": "identity"})
            self.send_response(answer.status_code)
            for name in ("Content-Type", "Content-Security-Policy"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            first, mark, rest = answer.content.partition(first_part_ends)
            self.wfile.write(first + mark)
            self.wfile.flush()
            if mark:
                halved.append(self.path)
                time.sleep(1)
            self.wfile.write(rest)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "/" in halved


def test_half_a_page_is_not_shown(mill: Mill, browser: Open) -> None:
    driver = browser(width=1280)
    with in_halves(mill.url, b'<div class="options">') as address, before_any_script(driver, _OBSERVE):
        driver.get(address)
        driver.execute_async_script(_SETTLED)
        moved, movers = driver.execute_script("return [window.moved, window.movers]")
        assert moved <= MOST_SHIFT, "\n".join(movers)


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_light(mill: Mill, browser: Open, page: str) -> None:
    driver = browser()
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    settled(driver, mill.url + page)
    assert driver.execute_script(_BYTES) <= MOST_BYTES


def test_what_is_known_already_is_not_asked_for_again(mill: Mill, browser: Open) -> None:
    driver = browser()
    settled(driver, f"{mill.url}/pools")
    settled(driver, f"{mill.url}/pools")
    asked = driver.execute_script(
        "return performance.getEntriesByType('resource')"
        ".filter((entry) => entry.name.includes('/static/') && entry.transferSize > 0).map((entry) => entry.name)"
    )
    assert asked == []


def test_what_a_pool_does_not_tell_is_called_unknown(mill: Mill, browser: Open) -> None:
    workers = "#pools [data-pool=other] [data-show=workers]"
    assert "unknown ready of unknown, unknown wanted" in requests.get(f"{mill.url}/pools", timeout=60).text
    driver = browser()
    settled(driver, f"{mill.url}/pools")
    drawn = "return document.querySelector('[data-pool=default] [data-chart] svg') !== null"
    wait_for(lambda: driver.execute_script(drawn), "the chart", SECONDS)
    assert text(driver, workers) == "unknown ready of unknown, unknown wanted"
    page = driver.execute_script("return document.getElementById('pools').innerHTML")
    assert "NaN" not in page
    assert "undefined" not in page
