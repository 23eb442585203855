"""The panel of uploads in a real browser: what goes on, what is taken up again, and what is not sent twice."""

import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

import pictures
from browsing import Open, before_any_script, console, text
from mill import Mill, wait_for
from uploading import batch_of, choose, drop, ended, files, names, states, total

_IN_PAGE = "window.SharedWorker = undefined;"
_UPLOADS = """
window.uploads = [];
const real = window.fetch;
window.fetch = async (address, options) => {
  if (options?.method === 'POST' && address === '/api/v1/images') window.uploads.push(options.body.getAll('path'));
  return real(address, options);
};
"""
_REFUSED_ONCE = """
window.refused = 0;
const real = window.fetch;
window.fetch = async (address, options) => {
  if (options?.method !== 'POST' || address !== '/api/v1/images' || window.refused++) return real(address, options);
  return new Response(JSON.stringify({detail: 'The proxy takes less.', code: 'error'}), {status: 413});
};
"""


# On a busy machine most of them are still to be sent when somebody presses a button.
MANY = 300


def photos(count: int) -> list[bytes]:
    base = uuid.uuid4().int % 2**31
    return [pictures.photo_jpeg(96, 64, seed=base + n) for n in range(count)]


def broken_jpeg() -> bytes:
    """Looks like a JPEG at the door, but its pixels cannot be decoded."""
    (whole,) = photos(1)
    scan = whole.index(b"\xff\xda")
    return whole[: scan + 2] + b"\xff\x00" * 2000 + b"\xff\xd9"


def press(driver: Chrome, selector: str) -> None:
    wait_for(lambda: driver.find_element(By.CSS_SELECTOR, selector).is_displayed(), selector)
    # Where it stands then: what the panel says grows and shrinks as it happens.
    driver.execute_script("document.querySelector(arguments[0]).click()", selector)


def begin_paused(driver: Chrome, paths: Sequence[Path]) -> None:
    """Chosen, and paused before much of it is sent."""
    choose(driver, paths)
    press(driver, "#upload-pause")
    wait_for(lambda: "paused" in text(driver, "#remains"), "the pause")


def open_folded(driver: Chrome, address: str) -> None:
    """A page as in a new tab: whether the list is shown is remembered, by a test before as well."""
    driver.get(address)
    driver.execute_script("sessionStorage.clear()")
    driver.refresh()


def go(driver: Chrome, section: str) -> None:
    driver.find_element(By.CSS_SELECTOR, f".rail a[href='{section}']").click()
    wait_for(lambda: driver.current_url.endswith(section), f"the section {section}")


def accepted(mill: Mill, batch: str) -> int:
    return int(mill.get(f"/api/v1/batches/{batch}").json()["accepted"])


def test_an_upload_goes_on_while_one_moves_between_sections(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    driver.get(mill.url)
    choose(driver, files(tmp_path, photos(60)))
    wait_for(lambda: "60 offered" in total(driver), "the panel")
    batch = batch_of(driver)
    for section in ("/pools", "/pictures", "/live", "/failures"):
        go(driver, section)
    wait_for(lambda: mill.get(f"/api/v1/batches/{batch}").json().get("stored") == 60, "all to be stored")
    assert accepted(mill, batch) == 60
    assert console(driver) == []


def test_a_paused_upload_waits_over_a_reload_and_is_continued(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    driver.get(mill.url)
    begin_paused(driver, files(tmp_path, photos(MANY)))
    batch = batch_of(driver)
    driver.refresh()
    wait_for(lambda: "paused" in text(driver, "#remains"), "the panel after the reload")
    assert f"{MANY} offered" in total(driver)
    go(driver, "/batches")
    press(driver, "#upload-pause")
    wait_for(lambda: ended(driver), "all to end")
    assert accepted(mill, batch) == MANY


def test_pictures_dropped_on_any_section_are_taken(mill: Mill, browser: Open, tmp_path: Path) -> None:
    files(tmp_path / "trip", photos(2))
    files(tmp_path / "trip" / "day-2", photos(1))
    driver = browser()
    open_folded(driver, f"{mill.url}/pools")
    drop(driver, [tmp_path / "trip"])
    wait_for(lambda: ended(driver), "all to end")
    assert driver.current_url == f"{mill.url}/pools"
    press(driver, "#unfold")
    wanted = ["trip/day-2/IMG_000.jpg", "trip/IMG_000.jpg", "trip/IMG_001.jpg"]
    wait_for(lambda: names(driver) == wanted, "the rows with their folders")
    listed = mill.get("/api/v1/images", params={"batch": batch_of(driver)}).json()["images"]
    assert sorted(image["name"] for image in listed) == sorted(wanted)
    assert console(driver) == []


def test_the_same_folder_into_the_same_batch_adds_nothing_and_sends_nothing(
    mill: Mill, browser: Open, tmp_path: Path
) -> None:
    files(tmp_path / "again", photos(12))
    driver = browser()
    driver.get(f"{mill.url}/?batch=again-{os.getpid()}")
    drop(driver, [tmp_path / "again"])
    wait_for(lambda: ended(driver), "all to end")
    with before_any_script(driver, _IN_PAGE), before_any_script(driver, _UPLOADS):
        driver.get("about:blank")
        driver.get(f"{mill.url}/?batch=again-{os.getpid()}")
        wait_for(lambda: "12 offered" in total(driver), "the batch's list")
        drop(driver, [tmp_path / "again"])
        wait_for(lambda: "no bytes sent" in text(driver, "#remains"), "the sentence")
    assert "12 already in this batch, not added again" in text(driver, "#remains")
    assert total(driver) == "12 offered = 12 stored + 0 failed + 0 in flight"
    assert driver.execute_script("return window.uploads") == []
    assert accepted(mill, f"again-{os.getpid()}") == 12


def test_after_a_crash_only_what_is_missing_is_sent(mill: Mill, browser: Open, tmp_path: Path) -> None:
    chosen = files(tmp_path, photos(MANY))
    driver = browser()
    with before_any_script(driver, _IN_PAGE):
        driver.get(mill.url)
        begin_paused(driver, chosen)
        batch = batch_of(driver)
        driver.execute_script("window.onbeforeunload = null")
        wait_for(lambda: "sending" not in states(driver), "what was on its way")
        there = accepted(mill, batch) if mill.get(f"/api/v1/batches/{batch}").ok else 0
        driver.execute_cdp_cmd("Page.navigate", {"url": "about:blank"})  # nobody is asked
        accept_leaving(driver)
    with before_any_script(driver, _IN_PAGE), before_any_script(driver, _UPLOADS):
        driver.get(f"{mill.url}/pictures")
        wait_for(lambda: "before the browser closed" in text(driver, "#obstacle"), "the sentence")
        assert f"{MANY - there} to choose again" in total(driver)
        driver.get(f"{mill.url}/?batch={batch}")
        wait_for(lambda: "to choose again" in total(driver), "the list")
        choose(driver, chosen)
        wait_for(lambda: ended(driver), "all to end")
    sent = [path for paths in driver.execute_script("return window.uploads") for path in paths]
    assert len(sent) <= MANY - there
    assert accepted(mill, batch) == MANY


def accept_leaving(driver: Chrome) -> None:
    wait_for(lambda: leave(driver), "the page to be left")


def leave(driver: Chrome) -> bool:
    try:
        driver.switch_to.alert.accept()
    except Exception:
        return driver.current_url == "about:blank"
    return False


def test_a_list_is_rebuilt_from_the_ledger_filtered_and_ordered(mill: Mill, browser: Open) -> None:
    batch = uuid.uuid4().hex
    mill.accepted(*photos(3), batch=batch)
    mill.upload(b"no picture", batch=batch)
    mill.all_ended()
    driver = browser()
    driver.get(f"{mill.url}/?batch={batch}")
    wait_for(lambda: len(states(driver)) == 4, "the rows")
    assert total(driver) == "4 offered = 3 stored + 0 failed + 0 in flight + 1 rejected"
    driver.find_element(By.CSS_SELECTOR, "#shown [value=wrong]").click()
    wait_for(lambda: len(states(driver)) == 1 and "not a picture" in states(driver)[0], "the rejected one alone")
    driver.find_element(By.CSS_SELECTOR, "#shown [value=all]").click()
    driver.find_element(By.ID, "part").send_keys("picture-2")
    wait_for(lambda: names(driver) == ["picture-2.jpg"], "the one of that name")
    driver.find_element(By.ID, "part").send_keys(Keys.BACKSPACE * 9)
    driver.find_element(By.CSS_SELECTOR, "#order [value=state]").click()
    wait_for(lambda: len(states(driver)) == 4 and "rejected" in states(driver)[0], "the rejected one first")
    assert console(driver) == []


def test_what_failed_and_what_was_not_taken_is_retried(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    with before_any_script(driver, _IN_PAGE), before_any_script(driver, _REFUSED_ONCE):
        driver.get(mill.url)
    choose(driver, files(tmp_path, photos(1), "small.jpg"))
    wait_for(lambda: "The proxy takes less." in text(driver, "#reasons"), "the refusal")
    press(driver, "#upload-retry")
    wait_for(lambda: total(driver) == "1 offered = 1 stored + 0 failed + 0 in flight", "the second attempt")
    choose(driver, files(tmp_path, [broken_jpeg()], "broken.jpg"))
    wait_for(lambda: "1 failed" in total(driver), "the failure")
    press(driver, "#upload-retry")
    wait_for(lambda: accepted(mill, batch_of(driver)) == 3, "another job")
    wait_for(lambda: total(driver) == "2 offered = 1 stored + 1 failed + 0 in flight", "how it ended")


def test_the_panel_is_worked_by_keys(mill: Mill, browser: Open, tmp_path: Path) -> None:
    driver = browser()
    open_folded(driver, f"{mill.url}/pools")
    drop(driver, files(tmp_path, photos(40)))
    wait_for(lambda: ended(driver), "all to end")
    driver.find_element(By.ID, "unfold").send_keys(Keys.ENTER)
    scroller = driver.find_element(By.CSS_SELECTOR, ".sheet-scroll")
    wait_for(scroller.is_displayed, "the list")
    scroller.send_keys(Keys.END)
    wait_for(lambda: "IMG_039.jpg" in names(driver), "the last row")
    driver.find_element(By.ID, "forget").send_keys(Keys.ENTER)
    wait_for(lambda: not driver.find_element(By.ID, "progress").is_displayed(), "the panel to go")
    ActionChains(driver).send_keys("g", "u").perform()
    wait_for(lambda: driver.current_url == f"{mill.url}/", "the section Upload")
    assert not driver.find_element(By.ID, "progress").is_displayed()
