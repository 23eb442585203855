"""Pages that follow what happens, in a real browser before a running Imagemill."""

import json
import signal
from datetime import datetime, timedelta

from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

import pictures
from browsing import SILENT_EVENTS, Open, before_any_script, console, text
from imagemill.api.live.log_filter import is_trouble
from mill import Mill, wait_for

STEPS = ("accepted", "taken", "done", "stored")
# Answers are there, and wait for the test before the page gets them.
HELD_ANSWERS = """
window.held = [];
window.released = false;
window.read = 0;
const real = window.fetch;
window.fetch = async (...asked) => {
  const answer = await real(...asked);
  if (!window.released) await new Promise((goOn) => window.held.push(goOn));
  return answer;
};
const parse = DOMParser.prototype.parseFromString;
DOMParser.prototype.parseFromString = function (...given) {
  window.read += 1;
  return parse.apply(this, given);
};
"""
_FLOOD = """
for (let number = 0; number < arguments[0]; number += 1) {
  const at = new Date(Date.UTC(2026, 10, 21) + number).toISOString();
  const data = JSON.stringify({ at, kind: "rejected", by: "flood", name: `${number}.png` });
  window.sources.at(-1).dispatchEvent(new MessageEvent("activity", { data }));
}
"""
# What would be done after five seconds is done when the test says so; the browser knows no number of its own below 0.
_TIME_TO_UNDO = """
window.undone = new Map();
const later = window.setTimeout, never = window.clearTimeout;
window.setTimeout = (what, ms, ...more) => {
  if (ms !== 5000) return later(what, ms, ...more);
  const number = -1 - window.undone.size;
  window.undone.set(number, what);
  return number;
};
window.clearTimeout = (number) => window.undone.delete(number) || never(number);
"""


def test_space_scrolls_a_log_of_the_past(mill: Mill, browser: Open) -> None:
    driver = browser()
    driver.get(f"{mill.url}/live?before=2026-01-01T00:00:00.000Z")
    wait_for(lambda: driver.execute_script("return Boolean(document.querySelector('#log-filters'))"), "the page")
    pressed = "new KeyboardEvent('keydown', { key: ' ', bubbles: true, cancelable: true })"
    assert driver.execute_script(f"return document.body.dispatchEvent({pressed})"), "nobody kept it from the browser"


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
    lines = keys(driver)
    later = mill.accepted(pictures.photo_jpeg(96, 64, seed=7008))[0]
    mill.ended(later)
    wait_for(lambda: "more since" in text(driver, "#log-note"), "the count of what is held back")
    assert keys(driver) == lines
    driver.find_element(By.ID, "pause").click()
    wait_for(lambda: sorted(marks(driver, later)) == sorted(STEPS), "what was held back")
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
    shown = "return [...document.querySelectorAll(arguments[0])].filter((row) => row.checkVisibility())"
    assert driver.execute_script(f"{shown}.map((row) => row.dataset.kind)", rows) == ["stored"]
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


def test_what_happens_while_a_list_is_read_again_is_in_it_in_the_end(mill: Mill, browser: Open) -> None:
    driver = browser()
    with before_any_script(driver, SILENT_EVENTS), before_any_script(driver, HELD_ANSWERS):
        driver.get(f"{mill.url}/pictures")
    tell(driver, "open")
    wait_for(lambda: held(driver) == 1, "the list to be read again")
    image_id = stored(mill, 7016)
    tell(driver, "outcome", {"id": image_id, "batch": "", "status": "stored"})
    release(driver)
    wait_for(lambda: "stored" in text(driver, f"#cards > [data-key='{image_id}']"), "the picture in the list")


def test_a_log_that_is_paused_while_it_is_read_again_stays_still(mill: Mill, browser: Open) -> None:
    driver = browser()
    with before_any_script(driver, SILENT_EVENTS), before_any_script(driver, HELD_ANSWERS):
        driver.get(f"{mill.url}/live")
    image_id = stored(mill, 7017)
    heard_by_the_api(mill, image_id)
    tell(driver, "open")
    wait_for(lambda: held(driver) == 1, "the log to be read again")
    driver.find_element(By.ID, "pause").click()
    release(driver)
    wait_for(lambda: driver.execute_script("return window.read") == 1, "the page to read the answer")
    assert marks(driver, image_id) == []
    driver.find_element(By.ID, "pause").click()
    wait_for(lambda: sorted(marks(driver, image_id)) == sorted(STEPS), "all of its marks")


def test_lines_that_are_shown_stay_the_same_when_the_log_fills_its_gaps(mill: Mill, browser: Open) -> None:
    heard_by_the_api(mill, stored(mill, 7018))
    driver = browser()
    with before_any_script(driver, SILENT_EVENTS):
        driver.get(f"{mill.url}/live")
    shown = driver.execute_script(
        "return (window.shown = [...document.querySelectorAll('#log-rows tr[data-key]')]).length"
    )
    assert shown >= len(STEPS)
    driver.execute_script("window.shown[0].querySelector('a').focus()")
    image_id = stored(mill, 7019)
    heard_by_the_api(mill, image_id)
    tell(driver, "open")
    wait_for(lambda: sorted(marks(driver, image_id)) == sorted(STEPS), "all of its marks")
    assert driver.execute_script("return window.shown[0].contains(document.activeElement)")
    late = mill.image(image_id)["trace"][-1]
    tell(driver, "activity", {"at": late["at"], "kind": "stored", "image": image_id, "by": late["by"]})
    tell(driver, "activity", {"at": late["at"], "kind": "camera", "camera": "gate", "state": "live", "by": "camera-1"})
    wait_for(lambda: "gate" in text(driver, "#log-rows"), "what was told last")
    assert sorted(marks(driver, image_id)) == sorted(STEPS)


def test_the_log_tells_times_of_where_the_browser_is_to_the_millisecond(mill: Mill, browser: Open) -> None:
    image_id = stored(mill, 7020)
    heard_by_the_api(mill, image_id)
    driver = browser()
    driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Pacific/Kiritimati"})
    try:
        driver.get(f"{mill.url}/live")
        shown = "document.querySelector('#log-rows time')"
        at = driver.execute_script(f"return {shown}.dateTime")
        there = datetime.fromisoformat(at) + timedelta(hours=14)
        assert driver.execute_script(f"return {shown}.textContent") == f"{there:%H:%M:%S.%f}"[:-3]
        assert f"{there:%Y-%m-%d}" in driver.execute_script(f"return {shown}.title")
        assert at[:10] in driver.execute_script(f"return {shown}.title")
        assert f"{there:%A, %-d %B %Y}" in text(driver, ".log .day")
    finally:
        driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def test_the_filter_of_the_log_is_in_the_address_and_back_takes_it_away(mill: Mill, browser: Open) -> None:
    one, other = (
        mill.accepted(pictures.photo_jpeg(96, 64, seed=seed), batch=f"log-{seed}")[0] for seed in (7021, 7022)
    )
    for image_id in (one, other):
        mill.ended(image_id)
        heard_by_the_api(mill, image_id)
    driver = browser()
    driver.get(f"{mill.url}/live")
    columns = "return [...document.querySelectorAll('.log thead th')].map((cell) => cell.getBoundingClientRect().left)"
    before = driver.execute_script(columns)
    driver.find_element(By.NAME, "batch").send_keys("log-7022\n")
    wait_for(lambda: driver.current_url.endswith("/live?batch=log-7022"), "the address")
    wait_for(lambda: shown_images(driver) == {other}, "its lines alone")
    Select(driver.find_element(By.ID, "kinds")).select_by_value("stored")
    wait_for(lambda: marks(driver, other) == ["stored"], "its stored line alone")
    assert driver.execute_script(columns) == before
    driver.back()
    wait_for(lambda: sorted(marks(driver, other)) == sorted(STEPS), "all of its lines again")
    assert Select(driver.find_element(By.ID, "kinds")).first_selected_option.text == "everything"
    driver.back()
    wait_for(lambda: {one, other} <= shown_images(driver), "all lines again")
    assert console(driver) == []


def test_what_is_heard_is_filtered_as_what_was_known(mill: Mill, browser: Open) -> None:
    driver = browser()
    with before_any_script(driver, SILENT_EVENTS):
        driver.get(f"{mill.url}/live?level=trouble")
    heard = [
        {"kind": "taken", "attempt": 1}, {"kind": "taken", "attempt": 2}, {"kind": "failed", "code": "bomb"},
        {"kind": "stored"}, {"kind": "told", "result": "failed", "number": 3}, {"kind": "told", "result": "sent"},
        {"kind": "camera", "state": "offline", "camera": "gate"}, {"kind": "camera", "state": "live", "camera": "gate"},
        {"kind": "rejected", "name": "notes.jpg"}, {"kind": "camera-counts", "frames": 3, "camera": "gate"},
    ]  # fmt: skip
    for number, record in enumerate(heard):
        image = {"image": f"0193-{number}"} if record["kind"] in ("taken", "failed", "stored") else {}
        tell(driver, "activity", {"at": f"2026-11-21T09:15:0{number}.000Z", "by": "x", **image, **record})
    wait_for(lambda: "notes.jpg" in text(driver, "#log-rows"), "what was told last")
    rows = "[...document.querySelectorAll('#log-rows tr[data-key]')]"
    kinds = f"{rows}.filter((row) => row.querySelector('time').dateTime.startsWith('2026-11-21T09:15'))"
    expected = [record["kind"] for record in heard if is_trouble(record)][::-1]
    assert driver.execute_script(f"return {kinds}.map((row) => row.dataset.kind)") == expected
    assert len(expected) == 5


def test_a_paused_log_counts_what_comes_and_says_what_it_had_to_drop(mill: Mill, browser: Open) -> None:
    driver = browser()
    with before_any_script(driver, SILENT_EVENTS):
        driver.get(f"{mill.url}/live?by=flood")
    driver.find_element(By.ID, "pause").click()
    driver.execute_script(_FLOOD, 2003)
    note = text(driver, "#log-note")
    assert note == "Paused; 2,003 more since; the newest 2,000 of them are kept, the others only in the journal."
    assert keys(driver) == []
    driver.find_element(By.ID, "pause").click()
    wait_for(lambda: len(keys(driver)) == 2000, "all that was kept")
    assert text(driver, "#log-rows tr:nth-child(2) .file").startswith("2002")


def test_one_goes_back_in_time_in_the_journal_without_leaving_the_page(mill: Mill, browser: Open) -> None:
    early = stored(mill, 7023)
    wait_for(lambda: len(mill.get(f"/api/v1/images/{early}/story").json()["activity"]) == len(STEPS), "the journal")
    driver = browser()
    driver.get(f"{mill.url}/live")
    driver.find_element(By.ID, "clear").click()
    assert marks(driver, early) == []
    driver.execute_script("window.notReloaded = true")
    driver.find_element(By.ID, "earlier").click()
    wait_for(lambda: sorted(marks(driver, early)) == sorted(STEPS), "its lines from the journal")
    assert "from the journal" in text(driver, "#log-note")
    assert driver.execute_script("return window.notReloaded")
    assert text(driver, "#pause") == "Resume"
    assert console(driver) == []


def test_failures_are_retried_by_a_key_after_time_to_undo(mill: Mill, browser: Open) -> None:
    image_id = mill.accepted(pictures.bomb_png_header(400, 300))[0]
    assert mill.ended(image_id)["status"] == "failed"
    driver = browser()
    with before_any_script(driver, _TIME_TO_UNDO):
        driver.get(f"{mill.url}/failures")
    before = mill.totals()["accepted"]
    keys = ActionChains(driver)
    keys.send_keys("j", "x", "r").perform()
    driver.find_element(By.CSS_SELECTOR, ".toast button").click()
    assert driver.find_elements(By.CSS_SELECTOR, ".toast") == []
    keys.send_keys("r").perform()
    driver.execute_script("window.undone.forEach((late) => late())")
    new_id = wait_for(lambda: retry_of(mill, image_id), "the retry")
    assert mill.ended(new_id)["retry_of"] == image_id
    assert mill.totals()["accepted"] == before + 1
    wait_for(lambda: set(listed(driver)) & {new_id, image_id} == {new_id}, "its failure in the place of the first")


def test_a_failure_is_discarded_by_a_key_with_its_note_and_taken_back(mill: Mill, browser: Open) -> None:
    image_id = mill.accepted(pictures.bomb_png_header(403, 300), batch="discarded")[0]
    assert mill.ended(image_id)["status"] == "failed"
    driver = browser()
    driver.get(f"{mill.url}/failures?batch=discarded")
    driver.find_element(By.ID, "note").send_keys("a test card")
    driver.find_element(By.CSS_SELECTOR, "tr input").click()
    ActionChains(driver).send_keys("d").perform()
    wait_for(lambda: listed(driver) == [], "the list without it")
    wait_for(lambda: open_failures(driver) == mill.totals()["failed_open"], "the red number")
    assert "1 picture discarded" in text(driver, ".toast")
    driver.find_element(By.CSS_SELECTOR, ".toast button").click()
    wait_for(lambda: listed(driver) == [image_id], "the failure again")


def listed(driver: Chrome) -> list[str]:
    """The failures in the list, by id."""
    script = "return [...document.querySelectorAll('#failed-rows tr')].map((line) => line.dataset.key)"
    return list(driver.execute_script(script))


def open_failures(driver: Chrome) -> int:
    """The red number of the header, once it has followed."""
    return int(driver.execute_script("return document.querySelector('[data-count=failed_open]').textContent"))


def retry_of(mill: Mill, image_id: str) -> str | None:
    found = mill.get("/api/v1/failures", params={"state": "all"}).json()["failures"]
    return next((item["last_retry"]["id"] for item in found if item["id"] == image_id and item["last_retry"]), None)


def test_the_selection_among_failures_stays_with_its_pictures_when_more_fail(mill: Mill, browser: Open) -> None:
    image_id = mill.accepted(pictures.bomb_png_header(401, 300))[0]
    assert mill.ended(image_id)["status"] == "failed"
    driver = browser()
    driver.get(f"{mill.url}/failures")
    ActionChains(driver).send_keys("j", "x").perform()
    later = mill.accepted(pictures.bomb_png_header(402, 300))[0]
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, f"[data-key='{later}']"), "the next failure")
    for what in ("tr.here", "tr:has(:checked)"):
        script = "return [...document.querySelectorAll(arguments[0])].map((line) => line.dataset.key)"
        assert driver.execute_script(script, what) == [image_id]
    assert text(driver, "#selected") == "1 picture selected"
    assert driver.execute_script("return !document.getElementById('retry').disabled")


def shown_images(driver: Chrome) -> set[str]:
    script = "return [...document.querySelectorAll('#log-rows [data-image]')].map((link) => link.dataset.image)"
    return set(driver.execute_script(script))


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


def held(driver: Chrome) -> int:
    """How many answers have come so far."""
    return int(driver.execute_script("return window.held.length"))


def release(driver: Chrome) -> None:
    """The page gets what has come, and what comes from now on."""
    driver.execute_script("window.released = true; window.held.forEach((goOn) => goOn())")


def keys(driver: Chrome) -> list[str]:
    """What stands in the log; how long ago it was is told anew every ten seconds."""
    script = "return [...document.querySelectorAll('#log-rows tr[data-key]')].map((row) => row.dataset.key)"
    found: list[str] = driver.execute_script(script)
    return found


def marks(driver: Chrome, image_id: str) -> list[str]:
    script = """return [...document.querySelectorAll('#log-rows tr[data-key]')]
        .filter((row) => row.querySelector(`[data-image="${arguments[0]}"]`)).map((row) => row.dataset.kind)"""
    found: list[str] = driver.execute_script(script, image_id)
    return found
