"""Pages that follow what happens, in a real browser before a running Imagemill."""

import json
import signal

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

import pictures
from browsing import SILENT_EVENTS, Open, before_any_script, console, text
from mill import Mill, wait_for

STEPS = ("accepted", "taken", "done", "stored")


def test_a_picture_in_flight_shows_its_result_when_it_is_there(mill: Mill, browser: Open) -> None:
    mill.signal("worker", signal.SIGSTOP)
    try:
        image_id = mill.accepted(pictures.photo_jpeg(96, 64, seed=7005))[0]
        driver = browser()
        driver.get(f"{mill.url}/pictures/{image_id}")
        wait_for(lambda: text(driver, ".pulse") == "live", "the event stream")
        assert len(driver.find_elements(By.CSS_SELECTOR, "#trace .to-come")) == 3
    finally:
        mill.signal("worker", signal.SIGCONT)
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, ".compare.on"), "the result")
    assert driver.find_elements(By.CSS_SELECTOR, "#trace .to-come") == []


def test_the_log_shows_what_happens_and_stands_still_when_paused(mill: Mill, browser: Open) -> None:
    driver = browser()
    driver.get(f"{mill.url}/live")
    wait_for(lambda: text(driver, ".pulse") == "live", "the event stream")
    image_id = mill.accepted(pictures.photo_jpeg(96, 64, seed=7007))[0]
    links = f"return document.querySelectorAll('#log-rows [data-image=\"{image_id}\"]').length"
    wait_for(lambda: driver.execute_script(links) == len(STEPS), "all of its marks")
    driver.find_element(By.ID, "pause").click()
    lines = text(driver, "#log-rows")
    mill.ended(mill.accepted(pictures.photo_jpeg(96, 64, seed=7008))[0])
    wait_for(lambda: "more since" in text(driver, "#log-note"), "the count of what is held back")
    assert text(driver, "#log-rows") == lines
    driver.find_element(By.ID, "pause").click()
    assert len(text(driver, "#log-rows")) > len(lines)
    assert console(driver) == []


def test_the_log_begins_with_what_has_happened_and_shows_one_kind_alone(mill: Mill, browser: Open) -> None:
    image_id = mill.accepted(pictures.photo_jpeg(96, 64, seed=7009))[0]
    mill.ended(image_id)
    driver = browser(390, 844)
    rows = f"#log-rows tr:has([href='/pictures/{image_id}'])"

    def begins_with_all() -> bool:
        # Programs tell what they did a moment after they did it.
        driver.get(f"{mill.url}/live")
        return len(driver.find_elements(By.CSS_SELECTOR, rows)) == len(STEPS)

    wait_for(begins_with_all, "all of its marks at the beginning")
    Select(driver.find_element(By.ID, "kinds")).select_by_value("stored")
    shown = [row for row in driver.find_elements(By.CSS_SELECTOR, rows) if row.is_displayed()]
    assert [row.get_attribute("data-kind") for row in shown] == ["stored"]
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert console(driver) == []


def test_a_list_follows_what_happens_without_reloading(mill: Mill, browser: Open) -> None:
    driver = browser()
    driver.get(f"{mill.url}/pictures")
    wait_for(lambda: text(driver, ".pulse") == "live", "the event stream")
    driver.execute_script("window.notReloaded = true")
    image_id = mill.accepted(pictures.photo_jpeg(96, 64, seed=7009))[0]
    card = f"#cards > [data-key='{image_id}']"
    wait_for(lambda: "stored" in text(driver, card), "the new picture in the list")
    assert driver.execute_script("return window.notReloaded")
    assert console(driver) == []


def test_a_list_shows_what_happened_before_it_listened(mill: Mill, browser: Open) -> None:
    driver = browser()
    with before_any_script(driver, SILENT_EVENTS):
        driver.get(f"{mill.url}/pictures")
    image_id = stored(mill, 7011)
    tell(driver, "open")
    wait_for(lambda: "stored" in text(driver, f"#cards > [data-key='{image_id}']"), "the picture in the list")


def test_the_log_shows_what_happened_before_it_listened_and_nothing_twice(mill: Mill, browser: Open) -> None:
    before = stored(mill, 7012)
    driver = browser()
    with before_any_script(driver, SILENT_EVENTS):
        driver.get(f"{mill.url}/live")
    image_id = stored(mill, 7013)
    heard_by_the_api(mill, image_id)
    known = {"at": mill.image(image_id)["trace"][-1]["at"], "kind": "stored", "image": image_id, "by": "writer"}
    tell(driver, "activity", known | {"image": before})
    tell(driver, "activity", known)
    wait_for(lambda: marks(driver, image_id) == ["stored"], "what was heard")
    tell(driver, "open")
    wait_for(lambda: sorted(marks(driver, image_id)) == sorted(STEPS), "all of its marks")
    assert sorted(marks(driver, before)) == sorted(STEPS)
    times = "return [...document.querySelectorAll('#log-rows time')].map((time) => time.dateTime)"
    shown = driver.execute_script(times)
    assert shown == sorted(shown, reverse=True)
    assert console(driver) == []


def test_a_paused_log_reads_what_it_missed_when_it_goes_on_and_cleared_lines_stay_away(
    mill: Mill, browser: Open
) -> None:
    cleared = stored(mill, 7014)
    heard_by_the_api(mill, cleared)
    driver = browser()
    with before_any_script(driver, SILENT_EVENTS):
        driver.get(f"{mill.url}/live")
    assert marks(driver, cleared)
    driver.find_element(By.ID, "clear").click()
    driver.find_element(By.ID, "pause").click()
    image_id = stored(mill, 7015)
    heard_by_the_api(mill, image_id)
    tell(driver, "open")
    assert marks(driver, image_id) == []
    driver.find_element(By.ID, "pause").click()
    wait_for(lambda: sorted(marks(driver, image_id)) == sorted(STEPS), "all of its marks")
    assert marks(driver, cleared) == []
    assert console(driver) == []


def stored(mill: Mill, seed: int) -> str:
    """The id of a picture that has just been stored."""
    image_id = mill.accepted(pictures.photo_jpeg(96, 64, seed=seed))[0]
    assert mill.ended(image_id)["status"] == "stored"
    return image_id


def heard_by_the_api(mill: Mill, image_id: str) -> None:
    """Waits: programs tell what they did a moment after they did it."""
    wait_for(lambda: mill.get("/live").text.count(f'data-key="{image_id} ') == len(STEPS), "all that is told of it")


def tell(driver: Chrome, kind: str, data: object = None) -> None:
    """An event of the stream."""
    script = "window.sources.at(-1).dispatchEvent(new MessageEvent(arguments[0], {data: arguments[1]}))"
    driver.execute_script(script, kind, json.dumps(data))


def marks(driver: Chrome, image_id: str) -> list[str]:
    script = """return [...document.querySelectorAll('#log-rows tr')]
        .filter((row) => row.querySelector(`[data-image="${arguments[0]}"]`)).map((row) => row.dataset.kind)"""
    found: list[str] = driver.execute_script(script, image_id)
    return found
