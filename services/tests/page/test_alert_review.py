"""Alerts as a list to work through: the unseen count, filters in the address, many at once, undo, names and notes."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from browsing import Open, console, text
from imagemill.domain.events import Event
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
BADGE = "[data-unseen] i"


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
    kept = {"state": "new", "camera": "yard"}
    form = {"form_token": form_token(page), "number": ["8", "6", "9" * 5000], "by": "eve", **kept}
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


# --- one alert ------------------------------------------------------------------------------------


def test_one_is_acknowledged_in_place_and_taken_back(watched: Watched, browser: Open) -> None:
    driver = opened(watched, browser, "/alerts/5")
    driver.find_element(By.CSS_SELECTOR, "#see [name=by]").clear()
    driver.find_element(By.CSS_SELECTOR, "#see [name=by]").send_keys("Ann <b>")
    driver.find_element(By.CSS_SELECTOR, "#see [name=note]").send_keys("the cat", Keys.ENTER)
    wait_for(lambda: "acknowledged by Ann <b>" in " ".join(text(driver, "#take-back").split()), "it to be shown")
    assert "“the cat”" in text(driver, "#take-back")
    assert driver.current_url.endswith("/alerts/5")
    (entry,) = [
        one
        for one in watched.mill.get("/api/v1/audit").json()["entries"]
        if one["action"] == "alert.acknowledge" and one["subject"] == "5"
    ][:1]
    assert entry["after"] == {"by": "Ann <b>", "note": "the cat"}
    driver.find_element(By.CSS_SELECTOR, ".toast button").click()
    wait_for(lambda: driver.find_elements(By.ID, "see"), "it to be new")
    press(driver, "m")
    wait_for(lambda: driver.find_elements(By.ID, "take-back"), "the key")
    driver.find_element(By.CSS_SELECTOR, "#take-back button").click()
    wait_for(lambda: driver.find_elements(By.ID, "see"), "it to be new")
    assert watched.mill.get("/api/v1/alerts/5").json()["acknowledged"] is None
    assert console(driver) == []


def test_another_page_of_the_same_alert_follows(watched: Watched, browser: Open) -> None:
    driver = opened(watched, browser, "/alerts/6")
    watched.mill.post("/api/v1/alerts/6/acknowledge", json={"by": "bob"})
    wait_for(lambda: "bob" in text(driver, "#take-back"), "the page to follow")
    watched.mill.post("/api/v1/alerts/unacknowledge", json={"numbers": [6]})
    wait_for(lambda: driver.find_elements(By.ID, "see"), "the page to follow")


def test_without_scripts_one_is_acknowledged_snoozed_and_taken_back(watched: Watched) -> None:
    page = watched.mill.get("/alerts/7", headers={"Accept": "text/html"}).text
    token = form_token(page)
    for path, form in (
        ("acknowledge", {"by": "eve", "note": "seen"}), ("unacknowledge", {}),
        ("snooze", {"length": "hour", "rule": ""}), ("snooze", {"length": "morning", "rule": "everything"}),
    ):  # fmt: skip
        answer = watched.mill.post(f"/alerts/7/{path}", data={"form_token": token, **form}, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/alerts/7")
    lasting = watched.mill.get("/api/v1/snoozes").json()["snoozes"]
    assert {(one["camera"], one["rule"]) for one in lasting} == {("gate", None), (None, "everything")}
    page = watched.mill.get("/alerts/7", headers={"Accept": "text/html"}).text
    assert page.count("is quiet until") == 2
    assert watched.mill.get("/alerts/8", headers={"Accept": "text/html"}).text.count("is quiet until") == 1
    for one in lasting:
        answer = watched.mill.post(
            f"/alerts/snoozes/{one['id']}/end", data={"form_token": token, "alert": "7"}, allow_redirects=False
        )
        assert answer.headers["Location"] == "/alerts/7"
    wrong = watched.mill.post("/alerts/7/snooze", data={"form_token": token, "length": "hour", "rule": "other"})
    assert wrong.status_code == 422
    astray = watched.mill.post(
        "/alerts/snoozes/none/end", data={"form_token": token, "alert": "//evil.example"}, allow_redirects=False
    )
    assert astray.headers["Location"] == "/alerts/rules"


def test_a_camera_is_snoozed_in_place_and_the_second_snooze_replaces_the_first(watched: Watched, browser: Open) -> None:
    driver = opened(watched, browser, "/alerts/8")
    driver.find_element(By.CSS_SELECTOR, "#snooze [value=hour]").click()
    wait_for(lambda: "Camera yard is quiet until" in text(driver, ".snoozed"), "the snooze")
    assert "Camera yard is quiet until" in text(driver, "#toasts")
    assert driver.current_url.endswith("/alerts/8")
    (first,) = watched.mill.get("/api/v1/snoozes").json()["snoozes"]
    driver.find_element(By.CSS_SELECTOR, "#snooze [value=quarter]").click()
    wait_for(lambda: watched.mill.get("/api/v1/snoozes").json()["snoozes"] != [first], "the other snooze")
    (second,) = watched.mill.get("/api/v1/snoozes").json()["snoozes"]
    assert second["until"] < first["until"]
    assert len(driver.find_elements(By.CSS_SELECTOR, ".snoozed")) == 1
    shoot(driver, "alert-snoozed")
    wait_for(lambda: second["id"] in driver.page_source, "the page to follow")
    (undo,) = driver.find_elements(By.CSS_SELECTOR, ".toast button")
    undo.click()
    wait_for(lambda: "lasts until" in text(driver, "#toasts"), "the first to come back")
    (again,) = watched.mill.get("/api/v1/snoozes").json()["snoozes"]
    assert abs(moment(again["until"]) - moment(first["until"])) < 5
    wait_for(lambda: again["id"] in driver.page_source, "the page to follow")
    driver.find_element(By.CSS_SELECTOR, ".snoozed button").click()
    wait_for(lambda: not driver.find_elements(By.CSS_SELECTOR, ".snoozed"), "its end")
    assert watched.mill.get("/api/v1/snoozes").json()["snoozes"] == []
    assert console(driver) == []


def test_the_morning_is_that_of_the_browser(watched: Watched, browser: Open) -> None:
    driver = browser()
    driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    driver.get(watched.mill.url + "/alerts/8")
    driver.find_element(By.CSS_SELECTOR, "#snooze [value=morning]").click()
    wait_for(lambda: "07:00" in text(driver, ".snoozed time"), "the snooze")
    (one,) = watched.mill.get("/api/v1/snoozes").json()["snoozes"]
    assert one["until"][11:19] == "22:00:00"
    driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
    watched.mill.http.delete(f"{watched.mill.url}/api/v1/snoozes/{one['id']}", timeout=30).raise_for_status()


def moment(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


def test_before_and_after_are_on_the_sides_that_the_captions_say(watched: Watched, browser: Open) -> None:
    driver = opened(watched, browser, "/alerts/8")
    driver.find_element(By.CSS_SELECTOR, "[data-show=compare]").click()
    pressed = driver.find_elements(By.CSS_SELECTOR, ".controls [aria-pressed=true]")
    assert [button.text for button in pressed] == ["Compare"]
    assert "Annotated" not in [one.text for one in driver.find_elements(By.CSS_SELECTOR, "figcaption") if one.text]
    # Left of the divider is what was before: the figure walks to the right.
    driver.execute_script("document.querySelector('.cut').value = 40; document.querySelector('.cut')"
                          ".dispatchEvent(new Event('input', { bubbles: true }))")  # fmt: skip
    clip = driver.execute_script("return getComputedStyle(document.querySelector('.earlier')).clipPath")
    assert clip == "inset(0px 60% 28px 0px)"
    places = driver.execute_script(
        "const boxOf = (s) => document.querySelector(s).getBoundingClientRect();"
        "const at = (s) => boxOf(s).left + boxOf(s).width / 2;"
        "const box = document.querySelector('.clean img').getBoundingClientRect();"
        "return [(at('.divider') - box.left) / box.width, at('.compared span') < at('.compared span:last-child')]"
    )
    assert abs(places[0] - 0.4) < 0.01
    assert places[1]
    assert text(driver, ".compared span") == "Before it began"
    shoot(driver, "alert-compared")
    ActionChains(driver).drag_and_drop_by_offset(driver.find_element(By.CSS_SELECTOR, ".divider"), -250, 0).perform()
    assert float(driver.execute_script("return document.querySelector('.cut').value")) < 15
    driver.execute_script("document.querySelector('.cut').value = 0; document.querySelector('.cut')"
                          ".dispatchEvent(new Event('input', { bubbles: true }))")  # fmt: skip
    assert (
        driver.execute_script("return getComputedStyle(document.querySelector('.compared span')).visibility")
        == "hidden"
    )
    press(driver, Keys.ARROW_RIGHT)
    assert driver.execute_script("return document.querySelector('.cut').value") == "2"
    assert console(driver) == []


SOURCE = "return document.querySelector({selector!r}).src"


def source(driver: Chrome, selector: str) -> str:
    return str(driver.execute_script(SOURCE.format(selector=selector))).rpartition("/")[2]


@pytest.mark.parametrize("how", ["mouse", "focus", "keys"])
def test_a_strip_plays_once_where_one_points_or_is(watched: Watched, browser: Open, how: str) -> None:
    driver = opened(watched, browser)
    card = "#cards > :first-child"
    assert source(driver, f"{card} img") == "preview.jpg"
    if how == "mouse":
        ActionChains(driver).move_to_element(driver.find_element(By.CSS_SELECTOR, f"{card} .thumb")).perform()
    elif how == "focus":
        driver.execute_script(f"document.querySelector('{card} .name').focus()")
    else:
        press(driver, "j")
    wait_for(lambda: source(driver, f"{card} img").startswith("strip-"), "it to play")
    wait_for(lambda: source(driver, f"{card} img") == "strip-05.jpg", "the last picture")
    wait_for(lambda: source(driver, f"{card} img") == "preview.jpg", "it to rest")
    assert console(driver) == []


def test_nothing_plays_for_those_who_want_no_motion(watched: Watched, browser: Open) -> None:
    driver = browser()
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    )
    driver.get(watched.mill.url + "/alerts")
    wait_for(lambda: driver.execute_script(PICKED) == [], "the script")
    driver.execute_script(
        "window.changes = 0; new MutationObserver((found) => { window.changes += found.length; })"
        ".observe(document.querySelector('#cards'), { subtree: true, attributeFilter: ['src'] })"
    )
    press(driver, "j")
    driver.execute_script("document.querySelector('#cards .name').focus()")
    driver.execute_async_script("setTimeout(arguments[0], 700)")
    assert driver.execute_script("return window.changes") == 0
    driver.get(watched.mill.url + "/alerts/8")
    wait_for(lambda: driver.find_element(By.CSS_SELECTOR, ".best .controls").is_displayed(), "the script")
    assert not driver.find_element(By.CSS_SELECTOR, "[data-show=moving]").is_displayed()


def test_the_strip_plays_large_on_the_alerts_page(watched: Watched, browser: Open) -> None:
    driver = opened(watched, browser, "/alerts/8")
    press(driver, "p")
    wait_for(lambda: source(driver, ".moving img") == "strip-05.jpg", "it to play")
    assert driver.find_element(By.CSS_SELECTOR, ".moving").is_displayed()
    press(driver, "1")
    assert not driver.find_element(By.CSS_SELECTOR, ".moving").is_displayed()


def test_card_and_page_tell_the_same_score_and_zones_when_the_event_went_on(watched: Watched) -> None:
    at = time.time() - 90
    ended = Event.parse({
        "id": f"drive:{round(at * 1000)}", "source": "drive", "kind": "motion", "class": "alert", "started_at": at,
        "ended_at": at + 30, "score": 0.96, "zones": ["door", "path"],
    })  # fmt: skip
    number = raise_alert(watched.couch, "drive", at, ("door",), with_pictures=True, ended=ended)
    card = watched.mill.get("/alerts?camera=drive", headers={"Accept": "text/html"}).text
    page = watched.mill.get(f"/alerts/{number}", headers={"Accept": "text/html"}).text
    told = "Motion in door, score 0.93"
    assert told in card
    assert told in page
    words = " ".join(re.sub(r"<[^>]*>", "", page).split())
    assert "Score0.93 of 1 when the alert was raised; 0.96 in the end" in words
    assert "Zonesdoor when the alert was raised; door, path in the end" in words
    watched.mill.post("/api/v1/alerts/acknowledge", json={"numbers": [number]})
