"""What scripts add to forms: failures chosen by keys and by mouse, areas drawn on a picture, the zone of a new rule."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

import pictures
from browsing import Open, before_any_script, console, text
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill

FAILED = 4


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill")) as running:
        running.accepted(*(pictures.bomb_png_header(300, 200 + index) for index in range(FAILED)))
        running.all_ended()
        yield running


def press(driver: Chrome, *keys: str) -> None:
    driver.find_element(By.TAG_NAME, "body").send_keys(*keys)


def selected(driver: Chrome) -> list[bool]:
    script = "return [...document.querySelectorAll('#failed-rows input')].map((box) => box.checked)"
    found: list[bool] = driver.execute_script(script)
    return found


def is_enabled(driver: Chrome, button: str) -> bool:
    return driver.find_element(By.ID, button).is_enabled()


def toasts(driver: Chrome) -> str:
    return text(driver, "#toasts")


def open_failures(mill: Mill, browser: Open) -> Chrome:
    driver = browser()
    driver.get(f"{mill.url}/failures")
    wait_for(lambda: len(selected(driver)) == FAILED, "the failures")
    return driver


def test_failures_are_selected_by_keys(mill: Mill, browser: Open) -> None:
    driver = open_failures(mill, browser)
    assert not is_enabled(driver, "retry")
    press(driver, "j", "x")
    assert selected(driver) == [True, False, False, False]
    assert text(driver, "#selected") == "1 picture selected"
    press(driver, "j", "j", "X")
    assert selected(driver) == [True, True, True, False]
    press(driver, "a")
    assert selected(driver) == [True] * FAILED
    press(driver, "a", "k")
    assert selected(driver) == [False] * FAILED
    assert is_enabled(driver, "retry")
    press(driver, Keys.ENTER)
    wait_for(lambda: "/pictures/" in driver.current_url, "the picture's page")
    assert console(driver) == []


def test_failures_are_selected_by_the_mouse_with_shift(mill: Mill, browser: Open) -> None:
    driver = open_failures(mill, browser)
    boxes = driver.find_elements(By.CSS_SELECTOR, "#failed-rows input")
    boxes[1].click()
    ActionChains(driver).key_down(Keys.SHIFT).click(boxes[3]).key_up(Keys.SHIFT).perform()
    assert selected(driver) == [False, True, True, True]
    assert console(driver) == []


def test_what_was_discarded_is_open_again_after_undo(mill: Mill, browser: Open) -> None:
    driver = open_failures(mill, browser)
    driver.find_element(By.ID, "note").send_keys("a test")
    driver.find_element(By.CSS_SELECTOR, "#failed-rows input").click()
    driver.find_element(By.ID, "discard").click()
    wait_for(lambda: "1 picture discarded." in toasts(driver), "to be told")
    wait_for(lambda: len(selected(driver)) == FAILED - 1, "the list to follow")
    driver.find_element(By.CSS_SELECTOR, "#toasts button").click()
    wait_for(lambda: "1 picture open again." in toasts(driver), "to be told")
    wait_for(lambda: len(selected(driver)) == FAILED, "the list to follow")
    assert console(driver) == []


def test_a_retry_can_be_undone_until_it_is_sent(mill: Mill, browser: Open) -> None:
    driver = open_failures(mill, browser)
    press(driver, "j", "r")
    wait_for(lambda: "1 picture will be retried in 5 s." in toasts(driver), "to be told")
    driver.find_element(By.CSS_SELECTOR, "#toasts button").click()
    assert toasts(driver) == ""
    driver.find_element(By.ID, "retry-all").click()
    wait_for(lambda: f"{FAILED} pictures will be retried in 5 s." in toasts(driver), "to be told")
    wait_for(lambda: f"{FAILED} pictures retried." in toasts(driver), "them to be retried")
    assert console(driver) == []


def test_a_zone_is_drawn_by_keys_and_by_the_mouse(mill: Mill, browser: Open) -> None:
    driver = browser(1280, 900)
    driver.get(f"{mill.url}/cameras/new")
    areas = driver.find_element(By.ID, "areas")
    driver.find_element(By.CSS_SELECTOR, "[data-draw=zone]").click()
    canvas = driver.find_element(By.ID, "areas-drawing")
    canvas.send_keys(" ", Keys.ENTER)
    assert text(driver, "#drawing-says") == "1 of at least 3 corners are set."
    canvas.send_keys(Keys.ARROW_RIGHT, " ", Keys.SHIFT, Keys.ARROW_DOWN, Keys.NULL, " ", Keys.ENTER)
    assert areas.get_property("value") == "zone zone-1: 0.5,0.5 0.51,0.5 0.51,0.55"
    driver.find_element(By.CSS_SELECTOR, "[data-draw=mask]").click()
    for x, y in ((-90, -60), (90, -60), (90, 60)):
        ActionChains(driver).move_to_element_with_offset(canvas, x, y).click().perform()
    canvas.send_keys(Keys.ENTER)
    lines = str(areas.get_property("value")).splitlines()
    assert [line.split(":")[0] for line in lines] == ["zone zone-1", "mask"]
    assert len(driver.find_elements(By.CSS_SELECTOR, "#areas-drawing polygon")) == 2
    assert console(driver) == []


def test_the_test_of_a_camera_says_what_is_wrong(mill: Mill, browser: Open) -> None:
    driver = browser(1280, 900)
    driver.get(f"{mill.url}/cameras/new")
    driver.find_element(By.ID, "test").click()
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, "#test-says.bad"), "the answer")
    assert text(driver, "#test-says").endswith(".")
    assert is_enabled(driver, "test")


FRAME = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
A_READER_ANSWERS = f"""
const ask = window.fetch;
window.fetch = async (path, asked) => path === "/cameras/test"
  ? new Response(Uint8Array.from(atob("{FRAME}"), (letter) => letter.charCodeAt(0))) : ask(path, asked);
"""


def test_the_frame_of_a_test_is_in_sight_and_stays_when_the_camera_is_saved(mill: Mill, browser: Open) -> None:
    driver = browser(1280, 800)
    with before_any_script(driver, A_READER_ANSWERS):
        driver.get(f"{mill.url}/cameras/new")
        driver.find_element(By.ID, "name").send_keys("Gate")
        driver.find_element(By.ID, "address").send_keys("rtsp://camera.example/gate")
        assert not driver.find_element(By.NAME, "loop").is_displayed()
        driver.execute_script("scrollTo(0, 0)")
        driver.find_element(By.ID, "test").click()
        wait_for(lambda: text(driver, "#test-says") == "This is what it shows.", "the frame")
        for element in ("#test", "#test-says"):
            box = driver.find_element(By.CSS_SELECTOR, element).rect
            assert box["y"] + box["height"] <= 800, element
        assert driver.execute_script("return scrollY") == 0
        driver.find_element(By.CSS_SELECTOR, "#camera button.primary").click()
        wait_for(lambda: "?saved" in driver.current_url, "it to be saved")
        wait_for(lambda: driver.find_element(By.ID, "picture").is_displayed(), "the frame")
        assert not driver.find_element(By.ID, "nothing").is_displayed()
        assert len(driver.find_elements(By.CSS_SELECTOR, ".notice")) == 1
        driver.get(f"{mill.url}/cameras/new")
        assert not driver.find_element(By.ID, "picture").is_displayed()
    assert console(driver) == []


def test_a_new_rule_begins_with_the_zone_of_who_writes_it(mill: Mill, browser: Open) -> None:
    driver = browser()
    driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Europe/Berlin"})
    driver.get(f"{mill.url}/alerts/new-rule")
    wait_for(lambda: driver.find_element(By.ID, "timezone").get_property("value") == "Europe/Berlin", "the zone")
    assert console(driver) == []
