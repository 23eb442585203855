"""One event stream for all tabs of a browser, whichever of them is closed."""

import re
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

import pictures
from browsing import Open, before_any_script, text
from mill import Mill, wait_for

SECONDS = 20
NO_WORKER = "window.SharedWorker = undefined;"


def streams(mill: Mill) -> int:
    found = re.search(r"^imagemill_event_streams (\d+)", mill.metrics("api"), re.MULTILINE)
    assert found
    return int(found[1])


@pytest.fixture
def tabs(mill: Mill, browser: Open) -> Iterator[Chrome]:
    """A browser whose other tabs are closed afterwards."""
    driver = browser()
    wait_for(lambda: streams(mill) == 0, "no page to be open", SECONDS)
    first = driver.current_window_handle
    yield driver
    for handle in driver.window_handles:
        if handle != first:
            driver.switch_to.window(handle)
            driver.close()
    driver.switch_to.window(first)


def open_tabs(driver: Chrome, addresses: list[str]) -> list[str]:
    handles = []
    for address in addresses:
        driver.switch_to.new_window("tab")
        driver.get(address)
        handles.append(driver.current_window_handle)
    for handle in handles:
        driver.switch_to.window(handle)
        wait_for(lambda: text(driver, ".pulse") == "live", "the tab to be live", SECONDS)
    return handles


def one_stream(mill: Mill) -> None:
    """Between two tabs nobody looks for a moment: the stream is closed then, and opened anew."""
    wait_for(lambda: streams(mill) == 1, "one stream for all tabs", SECONDS)


def accepted(driver: Chrome) -> int:
    return int(text(driver, "[data-equation] [data-count=accepted]").replace(",", ""))


def test_three_tabs_share_a_stream_and_live_on_when_the_first_is_closed(mill: Mill, tabs: Chrome) -> None:
    first, *others = open_tabs(tabs, [mill.url + path for path in ("/pictures", "/batches", "/failures")])
    one_stream(mill)
    tabs.switch_to.window(first)
    before = accepted(tabs)
    tabs.close()
    mill.accepted(pictures.photo_jpeg(320, 240, 31))
    for handle in others:
        tabs.switch_to.window(handle)
        wait_for(lambda: accepted(tabs) == before + 1, "the tab to hear of it", SECONDS)
        assert text(tabs, ".pulse") == "live"
    one_stream(mill)


def test_a_tab_that_comes_later_is_told_what_is(mill: Mill, tabs: Chrome) -> None:
    open_tabs(tabs, [f"{mill.url}/pictures", f"{mill.url}/live"])
    assert accepted(tabs) == mill.totals()["accepted"]


def test_without_shared_workers_each_tab_has_its_own(mill: Mill, tabs: Chrome) -> None:
    with before_any_script(tabs, NO_WORKER):
        tabs.get(f"{mill.url}/pictures")
        wait_for(lambda: text(tabs, ".pulse") == "live", "the tab to be live", SECONDS)
        before = accepted(tabs)
        mill.accepted(pictures.photo_jpeg(320, 240, 32))
        wait_for(lambda: accepted(tabs) == before + 1, "the tab to hear of it", SECONDS)
    tabs.get("about:blank")
    wait_for(lambda: streams(mill) == 0, "the stream to be closed", SECONDS)
