"""The keys of the page: `?` lists those that work, and nothing else."""

import re
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

import pictures
from browsing import Open, console
from imagemill.api.web.sections import SECTIONS
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill

PLACES = ("/pictures?view=grid", "/pictures?view=rows", "/failures", "/pictures/{}", "/live", "/batches", "/api/docs")
KEYS = {"↑": "ArrowUp", "↓": "ArrowDown", "←": "ArrowLeft",
        "→": "ArrowRight", "Space": " ", "Shift x": "X"}  # fmt: skip
LISTED = """
return [...document.querySelectorAll("dialog[open] dl > div")].map((line) =>
  [[...line.querySelectorAll("kbd")].map((key) => key.textContent), line.querySelector("dd").textContent]);
"""
# Whether somebody takes the key: what would follow is left out, so that all keys can be tried on one page.
PRESS = """
const event = new KeyboardEvent("keydown", { key: arguments[0], bubbles: true, cancelable: true });
for (const name of ["click", "submit"]) addEventListener(name, (event) => event.preventDefault(), { capture: true });
document.body.dispatchEvent(event);
return event.defaultPrevented;
"""


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill")) as running:
        running.accepted(*(pictures.photo_jpeg(96, 64, seed) for seed in range(3)), batch="three")
        running.accepted(pictures.bomb_png_header(300, 200), batch="bad")
        running.all_ended()
        yield running


def body(driver: Chrome, *keys: str) -> None:
    driver.find_element(By.TAG_NAME, "body").send_keys(*keys)


def listed(driver: Chrome) -> dict[str, str]:
    """What each key does, by what is pressed."""
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, "dialog[open]"), "the list")
    return {KEYS.get(sign, sign): words for signs, words in driver.execute_script(LISTED) for sign in signs}


@pytest.mark.parametrize("place", PLACES)
def test_every_key_that_is_listed_works_and_says_what_it_does(mill: Mill, browser: Open, place: str) -> None:
    middle = mill.get("/api/v1/images?batch=three").json()["images"][1]["id"]
    driver = browser()
    driver.get(mill.url + place.format(middle))
    body(driver, "?")
    keys = listed(driver)
    assert all(words.strip() for words in keys.values())
    assert {"/", "?", *(f"g {section.key}" for section in SECTIONS)} <= keys.keys()
    body(driver, Keys.ESCAPE)
    wait_for(lambda: not driver.find_elements(By.CSS_SELECTOR, "dialog"), "it to be closed")
    if place.startswith(("/pictures?", "/failures")):
        body(driver, "j")  # Enter opens what one stands on
    dead = [key for key in keys if not key.startswith("g ") and not driver.execute_script(PRESS, key)]
    assert dead == []
    assert console(driver) == []


def test_keys_are_listed_where_they_are_and_only_there(mill: Mill, browser: Open) -> None:
    driver = browser()
    found = {}
    for place in ("/failures", "/pictures?view=grid", "/batches"):
        driver.get(mill.url + place)
        body(driver, "?")
        found[place] = set(listed(driver))
    assert {"r", "d", "j", "k", "x", "X", "a", "Enter"} <= found["/failures"]
    assert {"e", "o", "j", "k", "x", "X", "a", "Enter"} <= found["/pictures?view=grid"]
    assert not {"r", "e", "j", "x"} & found["/batches"]


def test_the_letter_after_g_goes_to_each_section(mill: Mill, browser: Open) -> None:
    driver = browser()
    driver.get(mill.url)
    for section in reversed(SECTIONS):
        body(driver, "g", section.key)
        wait_for(lambda path=section.path: driver.current_url == mill.url + path, section.word)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_list_is_reached_without_a_keyboard_and_gives_the_focus_back(mill: Mill, browser: Open, width: int) -> None:
    driver = browser(width, 844)
    driver.get(f"{mill.url}/batches")
    button = next(one for one in driver.find_elements(By.CSS_SELECTOR, "[data-keys]") if one.is_displayed())
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", button)
    button.click()
    listed(driver)
    assert driver.switch_to.active_element.text == "Close"
    driver.switch_to.active_element.send_keys("g", "p", "?")
    wait_for(lambda: not driver.find_elements(By.CSS_SELECTOR, "dialog"), "it to be closed")
    assert driver.switch_to.active_element == button
    assert driver.current_url == f"{mill.url}/batches"


def test_what_is_typed_is_no_key(mill: Mill, browser: Open) -> None:
    driver = browser()
    driver.get(f"{mill.url}/pictures")
    body(driver, "/")
    finder = driver.switch_to.active_element
    finder.send_keys("?ga")
    assert finder.get_property("value") == "?ga"
    assert driver.find_elements(By.CSS_SELECTOR, "dialog") == []


def test_one_to_one_opens_where_one_points(mill: Mill, browser: Open) -> None:
    (image,) = mill.accepted(pictures.photo_jpeg(2400, 1600, 9), recipe="compress")
    mill.all_ended()
    driver = browser(1280, 800)
    driver.get(f"{mill.url}/pictures/{image}")
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, ".compare.on"), "the divider")
    seen = driver.execute_script("""
    const [stage, sized] = [document.querySelector(".stage"), document.querySelector(".sized")];
    const view = stage.getBoundingClientRect();
    const at = { clientX: view.left + 100, clientY: view.top + 80, bubbles: true };
    const share = () => {
      const { left, top, width, height } = sized.getBoundingClientRect();
      return [(at.clientX - left) / width, (at.clientY - top) / height];
    };
    const before = share();
    stage.dispatchEvent(new MouseEvent("dblclick", at));
    return [before, share(), stage.scrollLeft];
    """)
    assert seen[0] == pytest.approx(seen[1], abs=0.02)
    assert seen[2] > 0
    body(driver, "0", "+")
    middle = driver.execute_script("const stage = document.querySelector('.stage'); "
        "return (stage.scrollLeft + stage.clientWidth / 2) / document.querySelector('.sized').clientWidth")  # fmt: skip
    assert middle == pytest.approx(0.5, abs=0.02)


def test_no_list_of_keys_stands_beside_this_one(mill: Mill) -> None:
    for place in ("/pictures", "/failures"):
        keys = re.findall(r"<kbd[^>]*>([^<]*)</kbd>", mill.get(place, headers={"Accept": "text/html"}).text)
        assert set(keys) <= {"/", "?"}
