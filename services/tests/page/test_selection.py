"""Pictures as a list to work with: filtered by the address, selected by mouse and keys, and acted upon."""

import io
import zipfile
from collections.abc import Iterator

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from browsing import Open, console, text
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, form_token, wait_for
from mills import running_mill
from pictures import photo_jpeg

PICTURES = 5
PICKED = "return [...document.querySelectorAll('#cards .pick')].map((box) => box.checked)"


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill")) as running:
        running.accepted(*(photo_jpeg(96, 64, seed) for seed in range(PICTURES)), batch="list")
        running.all_ended()
        yield running


def open_list(mill: Mill, browser: Open, query: str = "batch=list") -> Chrome:
    driver = browser()
    driver.get(f"{mill.url}/pictures?{query}")
    wait_for(lambda: driver.execute_script(PICKED), "the pictures")
    wait_for(lambda: not driver.find_element(By.ID, "zip").is_enabled(), "the script")
    return driver


def press(driver: Chrome, *keys: str) -> None:
    driver.find_element(By.TAG_NAME, "body").send_keys(*keys)


def picked(driver: Chrome) -> list[bool]:
    found: list[bool] = driver.execute_script(PICKED)
    return found


def test_pictures_are_selected_by_keys_and_by_mouse(mill: Mill, browser: Open) -> None:
    driver = open_list(mill, browser)
    press(driver, "j", "x", "j", "j", "X")
    assert picked(driver)[:4] == [True, True, True, False]
    assert text(driver, "#selected") == "3 pictures selected"
    assert driver.find_element(By.ID, "erase").is_enabled()
    press(driver, "a")
    assert all(picked(driver))
    press(driver, "a")
    assert not any(picked(driver))
    boxes = driver.find_elements(By.CSS_SELECTOR, "#cards .pick")
    boxes[0].click()
    ActionChains(driver).key_down(Keys.SHIFT).click(boxes[2]).key_up(Keys.SHIFT).perform()
    assert picked(driver)[:4] == [True, True, True, False]
    assert console(driver) == []


def test_erasing_what_is_selected_can_be_undone(mill: Mill, browser: Open) -> None:
    driver = open_list(mill, browser)
    press(driver, "j", "x", "j", "x", "e")
    wait_for(lambda: "2 pictures erased." in text(driver, "#toasts"), "the answer")
    wait_for(lambda: len(driver.find_elements(By.CSS_SELECTOR, ".state.erased")) == 2, "the list to follow")
    assert mill.get("/api/v1/batches/list").json()["erased"] == 2
    driver.find_element(By.CSS_SELECTOR, ".toast button").click()
    wait_for(lambda: not driver.find_elements(By.CSS_SELECTOR, ".state.erased"), "the list to follow")
    assert mill.get("/api/v1/batches/list").json()["erased"] == 0
    assert console(driver) == []


def test_another_recipe_is_made_of_what_is_selected(mill: Mill, browser: Open) -> None:
    driver = open_list(mill, browser)
    press(driver, "j", "x", "j", "x")
    driver.execute_script("document.querySelector('#recipe').value = 'webp'")
    driver.find_element(By.ID, "again").click()
    wait_for(lambda: "2 pictures on the way with webp." in text(driver, "#toasts"), "the answer")
    mill.all_ended()
    made = mill.get("/api/v1/images", params={"batch": "list", "recipe": "webp"}).json()["images"]
    assert [item["status"] for item in made] == ["stored", "stored"]
    assert console(driver) == []


def test_without_scripts_the_forms_do_the_same(mill: Mill) -> None:
    page = mill.get("/pictures", params={"batch": "list", "recipe": "gray"}).text
    token = {"form_token": form_token(page)} if 'name="form_token"' in page else {}
    ids = [item["id"] for item in mill.get("/api/v1/images", params={"recipe": "gray"}).json()["images"]][:2]
    archive = mill.post("/pictures/results.zip", data={"image": ids, **token})
    assert archive.headers["Content-Disposition"] == 'attachment; filename="pictures.zip"'
    assert len(zipfile.ZipFile(io.BytesIO(archive.content)).namelist()) == len(ids) + 1
    kept = {"state": "stored", "kept_recipe": "gray"}
    erased = mill.post("/pictures/erase", data={"image": ids, **kept, **token}, allow_redirects=False)
    assert erased.headers["Location"] == "/pictures?state=stored&recipe=gray"
    assert [mill.image(one)["erasure"]["state"] for one in ids] == ["pending", "pending"]
    mill.post("/api/v1/erasures/undo", json={"images": ids})
    made = mill.post("/pictures/again", data={"image": ids, "recipe": "edges", **token}, allow_redirects=False)
    assert made.headers["Location"] == "/pictures?state=in_flight"
    mill.all_ended()
    assert mill.post("/pictures/erase", data=token).status_code == 400


def test_the_next_picture_of_a_batch_is_a_key_away(mill: Mill, browser: Open) -> None:
    ids = [item["id"] for item in mill.get("/api/v1/images", params={"batch": "list"}).json()["images"]]
    driver = browser()
    driver.get(f"{mill.url}/pictures/{ids[1]}")
    for key, wanted in (("j", ids[2]), ("k", ids[1]), ("k", ids[0])):
        press(driver, key)
        wait_for(lambda wanted=wanted: driver.current_url.endswith(wanted), "the other picture")
    assert not driver.find_elements(By.CSS_SELECTOR, "a[rel=prev]")
    assert console(driver) == []


def test_pictures_are_shown_in_rows_where_the_address_says_so_and_from_then_on(mill: Mill, browser: Open) -> None:
    driver = open_list(mill, browser)
    driver.find_element(By.LINK_TEXT, "rows").click()
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, "table.pictures tr[data-key]"), "the rows")
    assert "view=rows" in driver.current_url
    wait_for(lambda: not driver.find_element(By.ID, "zip").is_enabled(), "the script")
    press(driver, "j", "x", "j", "X")
    assert picked(driver)[:3] == [True, True, False]
    assert text(driver, "#selected") == "2 pictures selected"
    driver.get(f"{mill.url}/pictures?batch=list&recipe=gray")
    assert driver.find_elements(By.CSS_SELECTOR, "table.pictures")
    driver.find_element(By.LINK_TEXT, "grid").click()
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, "ul.cards"), "the grid")
    assert "recipe=gray" in driver.current_url
    driver.get(f"{mill.url}/pictures")
    assert not driver.find_elements(By.CSS_SELECTOR, "table.pictures")
    assert console(driver) == []


def test_the_counts_of_the_states_follow(mill: Mill, browser: Open) -> None:
    mill.accepted(photo_jpeg(96, 64, 76), batch="tabs")
    driver = open_list(mill, browser, "batch=tabs")
    assert text(driver, "#states [aria-current]") == "all 1"
    mill.accepted(photo_jpeg(96, 64, 77), batch="tabs")
    wait_for(lambda: text(driver, "#states [aria-current]") == "all 2", "the count to follow")
    assert console(driver) == []


@pytest.mark.parametrize("view", ["grid", "rows"])
@pytest.mark.parametrize("width", [320, 390, 768, 1080, 1280])
def test_no_list_is_wider_than_the_window(mill: Mill, browser: Open, width: int, view: str) -> None:
    driver = browser(width=width)
    for path in (f"/pictures?batch=list&view={view}", "/batches", "/batches/list"):
        driver.get(mill.url + path)
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, path
