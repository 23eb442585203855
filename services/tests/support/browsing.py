"""A browser before a page, for tests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from selenium.webdriver import Chrome

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
