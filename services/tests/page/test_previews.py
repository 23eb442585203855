"""Lists in a real browser: what they weigh, and originals in the place of results."""

import uuid
from pathlib import Path

import cv2
import numpy as np
import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By

from browsing import Open, console
from mill import Mill, wait_for

PHOTOS = 50
_WEIGHT = """return performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""
_SHOWN = """return [...document.querySelectorAll('.card .thumb img')]
  .filter((image) => image.checkVisibility() && image.complete && image.naturalWidth)
  .map((image) => [image.className, image.naturalWidth])"""
# Lazy ones are fetched a few screens ahead.
_ALL_SEEN = """
const done = arguments[0];
(async () => {
  for (const card of document.querySelectorAll('.card')) {
    card.scrollIntoView();
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  }
  done();
})();
"""
_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: 'layout-shift', buffered: true});
"""


def noise(seed: int) -> bytes:
    """The heaviest of all photos: nothing in it is like its neighbour."""
    pixels = np.random.default_rng(seed).integers(0, 256, (400, 600, 3), np.uint8)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


@pytest.fixture(scope="module")
def batch(mill: Mill) -> str:
    """As many photos as a page has, stored."""
    name = f"noise-{uuid.uuid4().hex[:8]}"
    seed = uuid.uuid4().int % 2**31
    for image_id in mill.accepted(*(noise(seed + number) for number in range(PHOTOS)), batch=name, recipe="compress"):
        assert mill.ended(image_id)["status"] == "stored"
    return name


def shown(driver: Chrome) -> list[tuple[str, int]]:
    return [(kind, width) for kind, width in driver.execute_script(_SHOWN)]


def grid(driver: Chrome, mill: Mill, batch: str) -> None:
    driver.get(f"{mill.url}/pictures?batch={batch}")
    driver.execute_script(_SHIFTS)
    driver.execute_async_script(_ALL_SEEN)
    wait_for(lambda: shown(driver) == [("", 320)] * PHOTOS, "all previews")


def test_a_grid_of_fifty_photos_is_below_a_megabyte_and_nothing_in_it_moves(
    mill: Mill, browser: Open, batch: str
) -> None:
    driver = browser(1280)
    driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    grid(driver, mill, batch)
    weight = driver.execute_script(_WEIGHT)
    assert PHOTOS * 5_000 < weight <= 1_000_000, weight
    assert driver.execute_script("return window.shift") < 0.01
    assert console(driver) == []


def test_o_shows_all_originals_and_again_the_results(mill: Mill, browser: Open, batch: str) -> None:
    driver = browser(1280)
    grid(driver, mill, batch)
    body = driver.find_element(By.TAG_NAME, "body")
    button = driver.find_element(By.CSS_SELECTOR, "[data-originals]")
    body.send_keys("o")
    assert button.get_attribute("aria-pressed") == "true"
    driver.execute_async_script(_ALL_SEEN)
    wait_for(lambda: shown(driver).count(("original", 320)) == PHOTOS, "all originals")
    body.send_keys("o")
    assert shown(driver) == [("", 320)] * PHOTOS
    assert button.get_attribute("aria-pressed") == "false"
    driver.execute_script("scrollTo(0, 0)")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"


def test_pointing_at_a_picture_shows_its_original_alone(mill: Mill, browser: Open, batch: str) -> None:
    driver = browser(1280)
    grid(driver, mill, batch)
    ActionChains(driver).move_to_element(driver.find_element(By.CSS_SELECTOR, ".card .thumb")).perform()
    wait_for(lambda: shown(driver).count(("original", 320)) == 1, "its original")
    assert driver.find_element(By.CSS_SELECTOR, ".card .which").is_displayed()


def test_where_there_is_no_preview_the_page_says_so(mill: Mill, browser: Open, batch: str) -> None:
    driver = browser(1280)
    grid(driver, mill, batch)
    script = """
    const image = document.querySelector('.card .thumb img'), done = arguments[0];
    image.addEventListener('error', () => done(getComputedStyle(image, '::after').content));
    image.src = '/api/v1/images/nothing/preview';"""
    assert driver.execute_async_script(script) == '"no preview"'


def test_an_uploaded_picture_is_shown_by_its_preview_once_it_is_stored(
    mill: Mill, browser: Open, tmp_path: Path
) -> None:
    driver = browser(1280)
    driver.get(mill.url)
    path = tmp_path / "noise.jpg"
    path.write_bytes(noise(uuid.uuid4().int % 2**31))
    driver.find_element(By.ID, "files").send_keys(str(path))
    script = "return document.querySelector('.sheet-row .c-thumb img')?.currentSrc ?? ''"
    wait_for(lambda: str(driver.execute_script(script)).endswith("/preview"), "the preview")
    assert console(driver) == []
