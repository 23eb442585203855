"""Alerts as a list to work through: the unseen count, filters in the address, many at once, undo, names and notes."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from browsing import Open, console, text
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from imagemill.store.couch import Couch
from mill import Mill, form_token, wait_for
from mills import running_mill
from page.test_accessibility import barriers
from raised_alerts import raise_alert
from store.test_alert_index import DAY

SHOTS = os.environ.get("IMAGEMILL_SCREENSHOTS")
PICKED = (
    "return [...document.querySelectorAll('#cards .pick')].filter((box) => box.checked).map((box) => Number(box.value))"
)
BADGE = "[data-unseen] span"


@dataclass
class Watched:
    mill: Mill
    couch: Couch


@pytest.fixture(scope="module")
def watched(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill")) as mill:
        client = Couch(couch.url, mill.prefix)
        now = time.time() - 600
        for place in range(8):
            camera, zones = ("yard", ("door",)) if place % 2 else ("gate", ())
            raise_alert(client, camera, now + 60 * place - (DAY if place < 2 else 0), zones, with_pictures=True)
        yield Watched(mill, client)


@pytest.fixture(autouse=True)
def nothing_acknowledged(watched: Watched) -> None:
    numbers = list(range(1, 9))
    assert watched.mill.post("/api/v1/alerts/unacknowledge", json={"numbers": numbers}).status_code == 200


def opened(watched: Watched, browser: Open, path: str = "/alerts", **window: object) -> Chrome:
    driver = browser(**window)
    driver.get(watched.mill.url + path)
    wait_for(lambda: driver.execute_script("return document.querySelector('.pulse').dataset.pulse") == "live", "live")
    return driver


def press(driver: Chrome, *keys: str) -> None:
    driver.find_element(By.TAG_NAME, "body").send_keys(*keys)


def shoot(driver: Chrome, name: str) -> None:
    if SHOTS:
        driver.save_screenshot(f"{SHOTS}/{name}.png")


def states(watched: Watched) -> dict[str, int]:
    counts: dict[str, int] = watched.mill.get("/api/v1/alerts?limit=1").json()["counts"]
    return counts


def test_every_section_tells_how_many_are_new_as_it_changes(watched: Watched, browser: Open) -> None:
    driver = opened(watched, browser, "/pools")
    assert text(driver, BADGE) == "8"
    watched.mill.post("/api/v1/alerts/acknowledge", json={"numbers": [1, 2, 3]})
    wait_for(lambda: text(driver, BADGE) == "5", "the count to follow")
    watched.mill.post("/api/v1/alerts/acknowledge", json={"numbers": [4, 5, 6, 7, 8]})
    wait_for(lambda: not driver.find_element(By.CSS_SELECTOR, "[data-unseen]").is_displayed(), "nothing to be shown")
    watched.mill.http.delete(f"{watched.mill.url}/api/v1/alerts/8/acknowledge", timeout=30).raise_for_status()
    wait_for(lambda: text(driver, BADGE) == "1", "the count to follow")
    assert console(driver) == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [("", [8, 7, 6, 5, 4, 3, 2, 1]), ("camera=yard", [8, 6, 4, 2]), ("zone=door&state=new", [8, 6, 4]),
     ("state=acknowledged", [2, 1]), ("camera=gate&state=new", [7, 5, 3]), ("class=detection", []), ("zone=roof", []),
     ("state=new&limit=2", [8, 7]), ("state=new&limit=2&after=7", [6, 5])],
)  # fmt: skip
def test_alerts_are_asked_for_by_the_address(watched: Watched, query: str, numbers: list[int]) -> None:
    watched.mill.post("/api/v1/alerts/acknowledge", json={"numbers": [1, 2]})
    found = watched.mill.get(f"/api/v1/alerts?{query}").json()
    assert [alert["number"] for alert in found["alerts"]] == numbers
    page = watched.mill.get(f"/alerts?{query}", headers={"Accept": "text/html"}).text
    assert [number for number in range(8, 0, -1) if f'data-key="{number}"' in page] == numbers
    assert sum(found["counts"][state] for state in ("new", "acknowledged")) == found["counts"]["all"]


def test_a_day_is_that_of_the_time_zone(watched: Watched) -> None:
    first = watched.mill.get("/api/v1/alerts/1").json()
    day = first["at"][:10]
    found = watched.mill.get(f"/api/v1/alerts?day={day}&timezone=UTC&state=new").json()["alerts"]
    assert {1, 2} <= {alert["number"] for alert in found}
    assert all(alert["at"][:10] == day for alert in found)
    kiritimati = watched.mill.get(f"/api/v1/alerts?day={day}&timezone=Pacific/Kiritimati").json()["counts"]["all"]
    niue = watched.mill.get(f"/api/v1/alerts?day={day}&timezone=Pacific/Niue").json()["counts"]["all"]
    assert kiritimati != niue or kiritimati in (0, 2)


@pytest.mark.parametrize(
    "query", ["state=seen", "class=loud", "day=yesterday", "day=2026-11-30&timezone=Moon/Sea", "camera=" + "x" * 101,
              "day=9999-12-31"]
)  # fmt: skip
def test_what_cannot_be_asked_for_is_told(watched: Watched, query: str) -> None:
    answer = watched.mill.get(f"/api/v1/alerts?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-value")
    assert len(answer.json()["detail"]) > 20
    page = watched.mill.get(f"/alerts?{query}", headers={"Accept": "text/html"})
    assert page.status_code == 422


@pytest.mark.parametrize("numbers", [[], "1", [0], [True], [1.5], list(range(1, 502)), None])
def test_what_is_no_list_of_numbers_acknowledges_nothing(watched: Watched, numbers: object) -> None:
    answer = watched.mill.post("/api/v1/alerts/acknowledge", json={"numbers": numbers})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-value")
    assert states(watched)["new"] == 8


def test_many_are_acknowledged_by_keys_with_name_and_note_and_taken_back(watched: Watched, browser: Open) -> None:
    driver = opened(watched, browser, "/alerts?state=new")
    press(driver, "j", "x", "j", "j", "X")
    assert driver.execute_script(PICKED) == [8, 7, 6]
    assert text(driver, "#selected") == "3 alerts selected"
    driver.find_element(By.CSS_SELECTOR, "#bar [name=by]").send_keys("Ann")
    driver.find_element(By.CSS_SELECTOR, "#bar [name=note]").send_keys("it was the cat")
    shoot(driver, "alerts-selected")
    driver.execute_script("document.activeElement.blur()")
    press(driver, "m")
    wait_for(lambda: "3 alerts acknowledged." in text(driver, "#toasts"), "the answer")
    wait_for(lambda: len(driver.find_elements(By.CSS_SELECTOR, "#cards > li")) == 5, "the list to follow")
    wait_for(lambda: text(driver, "#states").split()[:6] == ["all", "8", "new", "5", "acknowledged", "3"], "the tabs")
    seen = watched.mill.get("/api/v1/alerts/7").json()["acknowledged"]
    assert (seen["by"], seen["note"]) == ("Ann", "it was the cat")
    assert driver.current_url.endswith("/alerts?state=new")
    driver.find_element(By.CSS_SELECTOR, ".toast button").click()
    wait_for(lambda: len(driver.find_elements(By.CSS_SELECTOR, "#cards > li")) == 8, "the list to follow")
    assert states(watched)["new"] == 8
    driver.refresh()
    assert driver.find_element(By.CSS_SELECTOR, "#bar [name=by]").get_property("value") == "Ann"
    assert console(driver) == []


def test_many_are_acknowledged_by_mouse(watched: Watched, browser: Open) -> None:
    driver = opened(watched, browser)
    boxes = driver.find_elements(By.CSS_SELECTOR, "#cards .pick")
    boxes[1].click()
    ActionChains(driver).key_down(Keys.SHIFT).click(boxes[4]).key_up(Keys.SHIFT).perform()
    driver.find_element(By.ID, "acknowledge").click()
    wait_for(lambda: "4 alerts acknowledged." in text(driver, "#toasts"), "the answer")
    assert sorted(a["number"] for a in watched.mill.get("/api/v1/alerts?state=new").json()["alerts"]) == [1, 2, 3, 8]


def test_undo_takes_back_only_what_this_selection_did(watched: Watched, browser: Open) -> None:
    """In two tabs: what somebody else has acknowledged meanwhile stays so."""
    driver = opened(watched, browser)
    press(driver, "a")
    watched.mill.post("/api/v1/alerts/acknowledge", json={"numbers": [3], "by": "bob"})
    press(driver, "m")
    wait_for(lambda: "7 alerts acknowledged. 1 was already." in text(driver, "#toasts"), "the answer")
    driver.find_element(By.CSS_SELECTOR, ".toast button").click()
    wait_for(lambda: "7 alerts new again." in text(driver, "#toasts"), "the answer")
    (left,) = watched.mill.get("/api/v1/alerts?state=acknowledged").json()["alerts"]
    assert (left["number"], left["acknowledged"]["by"]) == (3, "bob")


def test_without_scripts_a_form_acknowledges_and_leads_back_to_the_list(watched: Watched) -> None:
    page = watched.mill.get("/alerts?state=new&camera=yard", headers={"Accept": "text/html"}).text
    form = {"form_token": form_token(page), "number": ["8", "6"], "state": "new", "camera": "yard", "by": "eve"}
    answer = watched.mill.post("/alerts/acknowledge", data=form, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/alerts?camera=yard&state=new")
    assert watched.mill.get("/api/v1/alerts/8").json()["acknowledged"]["by"] == "eve"
    assert states(watched) == {"all": 8, "new": 6, "acknowledged": 2}


def test_the_filter_is_of_the_browsers_day(watched: Watched, browser: Open) -> None:
    driver = opened(watched, browser)
    driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    driver.refresh()
    driver.find_element(By.CSS_SELECTOR, ".filter summary").click()
    assert driver.find_element(By.NAME, "timezone").get_property("value") == "Asia/Tokyo"
    driver.execute_script("document.querySelector('[name=day]').value = '2026-11-30'")
    driver.find_element(By.CSS_SELECTOR, ".filters button").click()
    wait_for(lambda: "day=2026-11-30&timezone=Asia%2FTokyo" in driver.current_url, "the filter")
    driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


@pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (768, "light"), (390, "light"), (390, "dark")]
)
def test_the_list_has_no_barrier_and_is_not_too_wide(watched: Watched, browser: Open, width: int, scheme: str) -> None:
    watched.mill.post("/api/v1/alerts/acknowledge", json={"numbers": [1, 5], "by": "ann"})
    for path in ("/alerts", "/alerts?camera=yard&state=new", "/alerts?camera=nobody", "/alerts/5", "/alerts/8"):
        driver = opened(watched, browser, path, width=width, height=900, scheme=scheme)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        shoot(driver, f"{path.strip('/').replace('/', '-').replace('?', '-')}-{width}-{scheme}")
        assert barriers(driver) == []
