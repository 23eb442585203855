"""A browser before a page, for tests, benchmarks and the pictures of README."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

Open = Callable[..., Chrome]
# What the browser itself logs about an answer that the test brought about.
EXPECTED = "Failed to load resource"
# Where the page has its modules from, in JavaScript: their address changes with them.
MODULES = """document.querySelector('script[src$="/main.js"]').src.replace('main.js', '')"""
SILENT_EVENTS = """
window.SharedWorker = undefined;
window.sources = [];
window.EventSource = class extends EventTarget {
  constructor(address) { super(); this.address = address; this.readyState = 1; window.sources.push(this); }
  close() {}
};
"""


CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
_OPTIONS = (
    "--headless=new", "--window-size=1280,900", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-sync", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--disable-dev-shm-usage",
)  # fmt: skip


@contextmanager
def headless(*more: str) -> Iterator[Chrome]:
    """Chromium without a window, with more options."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in (*_OPTIONS, *more):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    driver.set_script_timeout(120)
    try:
        yield driver
    finally:
        driver.quit()


def look_as(driver: Chrome, width: int, height: int, scheme: str = "light") -> None:
    """From now on through a window of that many pixels, a phone's if it is narrow; by day or by night."""
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 720}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def console(driver: Chrome) -> list[str]:
    return [entry["message"] for entry in driver.get_log("browser") if EXPECTED not in entry["message"]]


@contextmanager
def before_any_script(driver: Chrome, source: str) -> Iterator[None]:
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        yield
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def text(driver: Chrome, selector: str) -> str:
    return str(driver.execute_script(f"return document.querySelector({selector!r})?.textContent ?? ''"))
