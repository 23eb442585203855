"""From a phone to 4K: nothing sticks out, is cut or broken, and everything can be hit."""

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

import pictures
from browsing import Open
from imagemill.api.web.sections import SECTIONS
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from uploading import drop, ended, files

PHONE = 720
DESK = 900
# Five sections and what opens the others.
IN_BAR = 6
WIDTHS = (360, 390, 768, 1280, 1920, 3840)
LONG = "a-batch-of-a-holiday-in-the-mountains-with-everybody-and-the-dog-" + "0123456789" * 3
NAME = f"{'a name that goes on and on '.replace(' ', '-') * 3}{'x' * 90}.jpg"
# What has to be read or hit: links in a sentence are as high as its line, and a box's label is part of it.
LOOK = """
const TARGETS = "main :is(a, button, select, input:not([type=hidden], [type=file])), .top a, .rail a, .rail button";
const wide = document.scrollingElement.scrollWidth - innerWidth;
const found = wide > 0 ? [`the page is ${wide} px too wide`] : [];
const told = (element) => `${element.outerHTML.slice(0, 120)} ${Math.round(element.getBoundingClientRect().width)} px`;
for (const element of document.querySelectorAll("body *")) {
  if (!element.checkVisibility({ opacityProperty: true }) || element.closest(".hidden, svg")) continue;
  const style = getComputedStyle(element);
  const hides = style.overflowX === "hidden" && style.textOverflow !== "ellipsis" && element.clientWidth > 1;
  const isCut = hides && element.scrollWidth > element.clientWidth + 1;
  if (isCut && !element.matches(".thumb, .stage, .frame, .picker *")) found.push(`cut: ${told(element)}`);
  if (!element.matches(TARGETS) || style.display === "inline" || element.closest("label")) continue;
  const { width, height } = element.getBoundingClientRect();
  if (width > 1 && (width < 23.5 || height < 23.5)) found.push(`small: ${told(element)}`);
}
return found;
"""
# What the header of a service with a million pictures says.
MANY = """
const counts = { accepted: "1,234,567", stored: "1,234,163", failed: "364", failed_open: "12", in_flight: "40" };
const header = document.querySelector(".top");
for (const [name, count] of Object.entries(counts)) header.querySelector(`[data-count=${name}]`).textContent = count;
header.querySelector("[data-open]").hidden = false;
"""
RAIL = """
return [...document.querySelectorAll(".rail li span")].filter((word) => word.checkVisibility()).map((word) =>
  ({ ...word.getBoundingClientRect().toJSON(), size: parseFloat(getComputedStyle(word).fontSize) }));
"""
NUMBERS = (
    "return [...document.querySelectorAll('.top .equation > a:not(.aside) > b')].map((b) => b.getBoundingClientRect())"
)
HIDDEN = """
return ["#reasons", "#progress"].map((place) => document.querySelector(place))
  .reduce((sum, box) => sum + box.scrollHeight - box.clientHeight, 0);
"""
# The lines which the words of an element take.
LINES = """
const words = document.createRange();
words.selectNodeContents(arguments[0]);
return new Set([...words.getClientRects()].map(({ top }) => Math.round(top))).size;
"""


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("mill")) as running:
        names = {NAME: pictures.photo_jpeg(640, 360, 1), "portrait.jpg": pictures.photo_jpeg(360, 640, 2)}
        named = [("file", (name, io.BytesIO(data), "image/jpeg")) for name, data in names.items()]
        running.post("/api/v1/images", files=named, data={"batch": LONG, "recipe": "compress"})
        running.accepted(pictures.bomb_png_header(300, 200), batch=LONG)
        running.post(
            "/api/v1/images", files=[("file", ("truncated.jpg", io.BytesIO(b"no picture")))], data={"batch": "b"}
        )
        assert running.post("/api/v1/tokens", json={"name": "a camera", "role": "uploader"}).status_code == 201
        running.all_ended()
        yield running


@pytest.fixture(scope="module")
def pages(mill: Mill) -> list[str]:
    portrait, failed, stored = [image["id"] for image in mill.get(f"/api/v1/images?batch={LONG}").json()["images"]]
    led_to = ("/pictures?view=rows", "/pictures?view=grid", "/pictures?state=rejected", "/pictures?name=a", "/webhooks",
              f"/batches/{LONG}", "/batches/b", "/find?q=portrait", "/find?q=nothing", "/access/changes",
              *(f"/pictures/{image}" for image in (portrait, failed, stored)))  # fmt: skip
    return [*(section.path for section in SECTIONS), *led_to]


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_is_cut_or_too_small_to_hit(mill: Mill, browser: Open, pages: list[str], width: int) -> None:
    driver, wrong = browser(width, 900), []
    for path in pages:
        driver.get(mill.url + path)
        wrong += [f"{path}: {found}" for found in driver.execute_script(LOOK)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_equation_stays_on_one_line(mill: Mill, browser: Open, width: int) -> None:
    driver = browser(width, 900)
    driver.get(f"{mill.url}/pictures")
    driver.execute_script(MANY)
    numbers = driver.execute_script(NUMBERS)
    assert len({round(number["y"]) for number in numbers}) == 1, numbers
    assert driver.execute_script("return document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 390, 768])
def test_the_words_of_the_rail_can_be_read_and_do_not_touch(mill: Mill, browser: Open, width: int) -> None:
    driver = browser(width, 900)
    driver.get(f"{mill.url}/pictures")
    words = driver.execute_script(RAIL)
    assert len(words) == (len(SECTIONS) if width > PHONE else IN_BAR)
    assert all(word["size"] >= 12 for word in words)
    assert all(a["right"] + 4 <= b["left"] or a["bottom"] <= b["top"] for a, b in pairwise(words)), words


def test_what_the_bar_of_a_phone_has_no_room_for_opens_above_it(mill: Mill, browser: Open) -> None:
    driver = browser(390, 844)
    driver.get(f"{mill.url}/pictures")
    more = driver.find_element(By.CSS_SELECTOR, ".more button")
    more.click()
    assert [link.text for link in driver.find_elements(By.CSS_SELECTOR, "#more a")] == [
        section.word for section in SECTIONS if section.is_rare
    ]
    driver.find_element(By.LINK_TEXT, "Live").click()
    wait_for(lambda: driver.current_url.endswith("/live"), "the section")


@pytest.mark.parametrize("which", [NAME, "portrait.jpg"])
def test_a_picture_can_be_downloaded_without_scrolling(mill: Mill, browser: Open, which: str) -> None:
    (image,) = [
        image["id"] for image in mill.get(f"/api/v1/images?batch={LONG}").json()["images"] if image["name"] == which
    ]
    driver = browser(1280, 800)
    driver.get(f"{mill.url}/pictures/{image}")
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, ".compare.on"), "the divider")
    link = driver.find_element(By.CSS_SELECTOR, "a[href$='/result?download']")
    assert 0 <= link.rect["y"] + link.rect["height"] <= 800
    bottom = driver.execute_script("return document.querySelector('.controls').getBoundingClientRect().bottom")
    assert bottom <= 800


def test_names_and_codes_in_tables_are_not_broken(mill: Mill, browser: Open) -> None:
    for width in (768, 1280):
        driver = browser(width, 900)
        driver.get(f"{mill.url}/pictures?state=rejected")
        for cell in driver.find_elements(By.CSS_SELECTOR, ".rejected :is(.file, td > code)"):
            assert driver.execute_script(LINES, cell) == 1 or width < DESK, cell.text


@pytest.mark.parametrize("width", [390, 1280])
def test_all_reasons_of_refusals_can_be_read(mill: Mill, browser: Open, tmp_path: Path, width: int) -> None:
    refused = [b"no picture", b"", pictures.truncated_jpeg(0.3), pictures.bomb_png_header(), pictures.gif_animated()]
    driver = browser(width, 844)
    driver.get(f"{mill.url}/batches")
    drop(driver, files(tmp_path, refused))
    wait_for(lambda: ended(driver), "all to end")
    assert len(driver.find_elements(By.CSS_SELECTOR, "#reasons li")) == len(refused)
    assert driver.execute_script(HIDDEN) == 0
