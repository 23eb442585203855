"""The page in a real browser before a running Imagemill."""

import io
import os
from pathlib import Path

import pytest
import requests
from PIL import Image
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

import pictures
from browsing import MODULES, SILENT_EVENTS, Open, before_any_script, console, text
from mill import Mill, adds_up, wait_for
from uploading import choose, drag, ended, files, states

STEPS = ("accepted", "taken", "done", "stored")

# Uploads alone: what is known already is asked for before.
_BUSY_ONCE = """
window.SharedWorker = undefined;
window.refused = 0;
const real = window.fetch;
window.fetch = async (address, options) => {
  if (options?.method !== 'POST' || address !== '/api/v1/images') return real(address, options);
  if (window.refused > 0) {
    while (!window.goOn) await new Promise((done) => setTimeout(done, 50));
    return real(address, options);
  }
  window.refused += 1;
  const body = JSON.stringify({detail: 'The database does not answer.'});
  return new Response(body, {status: 503, headers: {'Retry-After': '1'}});
};
"""
_ANSWER_LOST = """
window.SharedWorker = undefined;
window.lost = 0;
const real = window.fetch;
window.fetch = async (address, options) => {
  const answer = await real(address, options);
  if (options?.method !== 'POST' || address !== '/api/v1/images' || window.lost > 0) return answer;
  window.lost += 1;
  throw new TypeError('connection reset');
};
"""
_NEVER_ANSWERED = """
window.SharedWorker = undefined;
const real = window.fetch;
window.fetch = (address, options) => options?.method !== 'POST' || address !== '/api/v1/images'
  ? real(address, options)
  : new Promise((_, reject) => options.signal.addEventListener('abort', () => reject(options.signal.reason)));
"""
# After some silence the page reads the ledger by itself: not in a test of what is read when it is told to.
_NO_CLOCK = "{ const now = Date.now(); Date.now = () => now; }"
# A letter counts for a second and a half after the `g` before it; a busy machine may press it later.
_NO_TIME_BETWEEN_KEYS = "Object.defineProperty(Event.prototype, 'timeStamp', { get: () => 0 });"
_MANY_ROWS = """
const done = arguments[0];
(async () => {
  const { View } = await import(MODULES + 'upload/view.js');
  const sheet = document.querySelector('.sheet').cloneNode(true);
  sheet.querySelector('#rows').id = 'many';
  document.querySelector('main').replaceChildren(sheet);
  const row = (_, at) => ({ path: `IMG_${at}.jpg`, size: 1, recipe: 'gray', state: 'done', id: null, reason: '' });
  const rows = Array.from({ length: 30000 }, row);
  const give = (first, last) => view.give(rows.slice(first, last), first, 30000);
  const scroller = sheet.querySelector('.sheet-scroll');
  const view = new View(scroller, sheet.querySelector('#many'), give);
  const frames = async (count) => { while (count--) await new Promise(requestAnimationFrame); };
  give(0, 100);
  await frames(4);
  const before = document.querySelectorAll('.sheet-row').length;
  scroller.scrollTo(0, scroller.scrollHeight);
  await frames(6);
  const names = [...document.querySelectorAll('.sheet-row .c-name')].map((cell) => cell.textContent);
  done([before, names.length, names.includes('IMG_29999.jpg')]);
})();
""".replace("MODULES", f"({MODULES})")


def counts_in_header(driver: Chrome) -> dict[str, int]:
    script = """return Object.fromEntries([...document.querySelectorAll('[data-equation] [data-count]')]
        .map((term) => [term.dataset.count, Number(term.textContent.replaceAll(',', ''))]))"""
    counts: dict[str, int] = driver.execute_script(script)
    return counts | {"offered": counts["accepted"] + counts["rejected"]}


def test_a_picture_becomes_its_grey_png_before_ones_eyes(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    driver.get(mill.url)
    driver.execute_script("window.notReloaded = true")
    before = mill.totals()["stored"]
    choose(driver, files(tmp_path, [pictures.photo_jpeg(640, 480, seed=os.getpid())]))
    wait_for(lambda: states(driver) == ["stored"], "the row to say stored")
    wait_for(lambda: counts_in_header(driver)["stored"] == before + 1, "the header to count it")
    assert adds_up(counts_in_header(driver))
    assert driver.execute_script("return window.notReloaded && document.querySelectorAll('.marks i.on').length") == 4
    address = driver.find_element(By.CSS_SELECTOR, ".sheet-row .c-name a").get_attribute("href")
    result = requests.get(f"{mill.url}/api/v1/images/{str(address).rpartition('/')[2]}/result", timeout=30).content
    with Image.open(io.BytesIO(result)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (640, 480))
    assert console(driver) == []


def test_pictures_and_folders_dropped_anywhere_on_the_window_are_taken(
    mill: Mill, browser: Open, tmp_path: Path
) -> None:
    (tmp_path / "holiday").mkdir()
    files(tmp_path / "holiday", [pictures.photo_jpeg(96, 64, seed=900 + n) for n in range(3)])
    (single,) = files(tmp_path, [pictures.photo_jpeg(96, 64, seed=899)], "single.jpg")
    driver = browser()
    driver.get(mill.url)
    drag(driver, "dragEnter", [single, tmp_path / "holiday"])
    wait_for(
        lambda: driver.execute_script("return document.documentElement.classList.contains('dropping')"),
        "the page to invite",
    )
    drag(driver, "drop", [single, tmp_path / "holiday"])
    wait_for(lambda: ended(driver), "all to end")
    assert " ".join(text(driver, "#sum").split()) == "4 offered = 4 stored + 0 failed + 0 in flight"
    names = driver.execute_script(
        "return [...document.querySelectorAll('.sheet-row .c-name')].map((cell) => cell.textContent.trim())"
    )
    assert {"single.jpg", "IMG_000.jpg"} <= {name.rpartition("/")[2] for name in names}
    assert not driver.execute_script("return document.documentElement.classList.contains('dropping')")
    assert console(driver) == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_hundred_pictures_end_as_stored(mill: Mill, browser: Open, tmp_path: Path, width: int) -> None:
    driver = browser(width, 800)
    driver.get(mill.url)
    choose(driver, files(tmp_path, [pictures.photo_jpeg(96, 64, seed=width + seed) for seed in range(100)]))
    wait_for(lambda: ended(driver), "all to end")
    sum_line = " ".join(text(driver, "#sum").split())
    assert sum_line == "100 offered = 100 stored + 0 failed + 0 in flight"
    # Rows are drawn by the browser's next frame.
    wait_for(lambda: set(states(driver)) <= {"stored", "stored, seen before"}, "the rows to say so")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert console(driver) == []


def test_a_refusal_is_told_in_words_and_counted(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    driver.get(mill.url)
    driver.find_element(By.CSS_SELECTOR, "[value=thumbnail]").click()
    choose(driver, files(tmp_path, [b"hello", pictures.png(20, 20)], "{}.png"))
    wait_for(lambda: ended(driver), "all to end")
    assert " ".join(text(driver, "#sum").split()) == "3 offered = 2 stored + 0 failed + 0 in flight + 1 rejected"
    assert "1 rejected (not-an-image): The file is not a picture" in text(driver, "#reasons")
    choose(driver, [tmp_path / "1.png"])
    wait_for(lambda: "1 already in this batch" in text(driver, "#remains"), "the file chosen twice to be told")


def test_what_the_service_has_already_is_not_sent_again(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    chosen = files(tmp_path, [pictures.photo_jpeg(96, 64, seed=os.getpid() + 70 + n) for n in range(2)])
    requests_to = "return performance.getEntriesByType('resource').map((entry) => new URL(entry.name)).filter((url) =>"
    sent = f"{requests_to} url.pathname === '/api/v1/images' && !url.search).length"
    for uploads in (1, 0):
        with before_any_script(driver, "window.SharedWorker = undefined;"):
            driver.get(mill.url)
        choose(driver, chosen)
        wait_for(lambda: ended(driver), "all to end")
        assert " ".join(text(driver, "#sum").split()) == "2 offered = 2 stored + 0 failed + 0 in flight"
        assert driver.execute_script(sent) == uploads
    assert console(driver) == []


def test_a_busy_service_is_asked_again_when_it_says_so(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    with before_any_script(driver, _BUSY_ONCE):
        driver.get(mill.url)
    choose(driver, files(tmp_path, [pictures.photo_jpeg(96, 64, seed=7001)]))
    wait_for(lambda: "Trying again in" in text(driver, "#remains"), "the pause to be told")
    driver.execute_script("window.goOn = true")
    wait_for(lambda: states(driver) == ["stored"], "the second attempt")


def test_nothing_is_sent_twice_when_the_answer_was_lost(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    with before_any_script(driver, _ANSWER_LOST):
        driver.get(mill.url)
    choose(driver, files(tmp_path, [pictures.photo_jpeg(96, 64, seed=7100 + seed) for seed in range(5)]))
    wait_for(lambda: ended(driver), "all to end")
    batch = driver.current_url.rpartition("batch=")[2]
    counts = mill.get(f"/api/v1/batches/{batch}").json()
    assert (counts["accepted"], counts["stored"]) == (5, 5)
    wait_for(lambda: states(driver) == ["stored"] * 5, "the rows to say so")


def test_what_was_not_sent_can_be_cancelled(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    with before_any_script(driver, _NEVER_ANSWERED):
        driver.get(mill.url)
    choose(driver, files(tmp_path, [pictures.photo_jpeg(96, 64, seed=7200 + seed) for seed in range(70)]))
    wait_for(lambda: "sending" in states(driver), "the first requests")
    wait_for(lambda: "70 offered" in " ".join(text(driver, "#sum").split()), "the line above the button")
    driver.find_element(By.ID, "cancel").click()
    wait_for(lambda: ended(driver), "all to end")
    assert "70 cancelled" in " ".join(text(driver, "#sum").split())
    assert console(driver) == []


def test_news_that_were_lost_are_read_from_the_ledger(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    with before_any_script(driver, SILENT_EVENTS), before_any_script(driver, _NO_CLOCK):
        driver.get(mill.url)
    choose(driver, files(tmp_path, [pictures.photo_jpeg(96, 64, seed=7002)]))
    wait_for(lambda: states(driver) == ["accepted"], "the row to be accepted")
    mill.all_ended()
    assert states(driver) == ["accepted"]
    driver.execute_script("window.sources.at(-1).dispatchEvent(new MessageEvent('lost', {data: '{}'}))")
    wait_for(lambda: states(driver) == ["stored"], "the row to say stored")


def test_thirty_thousand_rows_are_a_few_elements(mill: Mill, browser: Open) -> None:
    driver = browser()
    driver.get(mill.url)
    before, after, last_is_shown = driver.execute_async_script(_MANY_ROWS)
    assert 5 < before < 60
    assert 5 < after < 60
    assert last_is_shown


def test_without_scripts_a_form_uploads_and_shows_the_batch(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(mill.url)
        choose(driver, files(tmp_path, [pictures.photo_jpeg(96, 64, seed=7003)]))
        driver.find_element(By.ID, "batch").send_keys("by-form")
        driver.find_element(By.CSS_SELECTOR, "#upload button.primary").click()
        wait_for(lambda: driver.current_url == f"{mill.url}/batches/by-form", "the batch's page")
        assert "IMG_000.jpg" in driver.page_source
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    mill.all_ended()


def test_the_keyboard_goes_to_sections_and_to_the_finder(mill: Mill, browser: Open) -> None:
    driver = browser()
    with before_any_script(driver, _NO_TIME_BETWEEN_KEYS):
        driver.get(mill.url)
        for key, path in (("p", "/pictures"), ("f", "/failures"), ("l", "/live"), ("u", "/")):
            driver.find_element(By.TAG_NAME, "body").send_keys("g", key)
            wait_for(lambda path=path: driver.current_url == mill.url + path, f"g {key} to go to {path}")
    driver.find_element(By.TAG_NAME, "body").send_keys("/")
    assert driver.switch_to.active_element.get_attribute("id") == "finder"
    driver.switch_to.active_element.send_keys("gp no such name", Keys.ENTER)
    wait_for(lambda: "Nothing matches" in driver.page_source, "the finder's answer")


def test_before_and_after_are_divided_and_enlarged_by_keys(mill: Mill, browser: Open) -> None:
    image_id = mill.accepted(pictures.photo_jpeg(640, 480, seed=7004))[0]
    mill.ended(image_id)
    driver = browser()
    driver.get(f"{mill.url}/pictures/{image_id}")
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, ".compare.on"), "the slider")
    stage = driver.find_element(By.CSS_SELECTOR, ".stage")
    stage.send_keys(Keys.ARROW_LEFT * 5)
    cut = "return document.querySelector('.sized').style.getPropertyValue('--cut')"
    assert driver.execute_script(cut) == "40%"
    assert driver.find_element(By.CSS_SELECTOR, ".cut input").get_attribute("aria-valuetext") == "40 % original"
    stage.send_keys("+", "+")
    assert driver.execute_script("return document.querySelector('.sized').clientWidth") == 4 * 640
    rendering = "return getComputedStyle(document.querySelector('.before img')).imageRendering"
    assert driver.execute_script(rendering) == "pixelated"
    assert console(driver) == []


def test_another_recipe_needs_no_upload(mill: Mill, browser: Open) -> None:
    image_id = mill.accepted(pictures.photo_jpeg(96, 64, seed=7006))[0]
    mill.ended(image_id)
    driver = browser()
    driver.get(f"{mill.url}/pictures/{image_id}")
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, ".compare.on"), "the slider, which moves what is below it")
    driver.find_element(By.CSS_SELECTOR, ".again select").send_keys("thumbnail")
    driver.find_element(By.CSS_SELECTOR, ".again button").click()
    wait_for(lambda: driver.current_url != f"{mill.url}/pictures/{image_id}", "the new picture's page")
    new = mill.ended(driver.current_url.rpartition("/")[2])
    assert (new["recipe"], new["status"]) == ("thumbnail", "stored")
    assert new["original"] == mill.image(image_id)["original"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_no_page_is_wider_than_the_window(mill: Mill, browser: Open, width: int, scheme: str) -> None:
    driver = browser(width, 800, scheme)
    image_id = mill.accepted(pictures.photo_jpeg(96, 64, seed=7010))[0]
    mill.ended(image_id)
    for path in ("/", "/pictures", f"/pictures/{image_id}", "/batches", "/failures", "/live", "/pools", "/api/docs"):
        driver.get(mill.url + path)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width, path
    assert console(driver) == []
