"""Without a photo and without a camera: what a person can try on an empty page, in a real browser."""

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from browsing import Open, console, text
from mill import Mill, wait_for


def test_who_has_no_picture_at_hand_tries_it_with_drawn_ones(mill: Mill, browser: Open) -> None:
    driver = browser()
    driver.get(f"{mill.url}/pictures")
    _press(driver, "Try it with drawn pictures")
    _press(driver, "Try it with drawn pictures")
    wait_for(lambda: "8 stored" in text(driver, "#sum"), "all of them are stored")
    batch = driver.current_url.partition("batch=")[2]
    names = [image["name"] for image in mill.get("/api/v1/images", params={"batch": batch}).json()["images"]]
    assert sorted(names)[0] == "landscape-05h.png"
    assert console(driver) == []


def test_who_has_no_camera_sees_somebody_walk_by(mill: Mill, browser: Open) -> None:
    mill.start("analyzer", "alerter")
    driver = browser(width=390)
    driver.get(f"{mill.url}/cameras")
    _press(driver, "Let somebody walk by")
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, ".toast a[href='/alerts/events']"), "the walk has ended")
    (seen, *_) = wait_for(lambda: mill.get("/api/v1/camera-events").json()["events"], "an event")
    assert (seen["source"][:5], seen["kind"]) == ("demo-", "motion")
    assert mill.all_ended()["failed"] == 0
    assert console(driver) == []


def _press(driver: Chrome, words: str) -> None:
    driver.find_element(By.XPATH, f"//*[self::a or self::button][normalize-space()='{words}']").click()
