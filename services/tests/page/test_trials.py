"""Recipes that are tried on the page of a picture."""

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

import pictures
from browsing import Open, console, text
from mill import Mill, wait_for
from pipeline.test_upload import broken_jpeg

SOURCE = "return document.querySelector('.after img').getAttribute('src')"
SHOWN = "const image = document.querySelector('.after img'); return image.complete && image.naturalWidth"


def try_out(driver: Chrome, recipe: str) -> None:
    driver.find_element(By.CSS_SELECTOR, ".again select").send_keys(recipe)
    driver.find_element(By.ID, "try").click()


def test_what_a_recipe_would_make_is_shown_in_the_results_place_and_goes_again(mill: Mill, browser: Open) -> None:
    (image_id,) = mill.accepted(pictures.photo_jpeg(320, 200, seed=90210))
    mill.ended(image_id)
    before = mill.totals()
    driver = browser()
    driver.get(f"{mill.url}/pictures/{image_id}")
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, ".compare.on"), "the slider, which moves what is below it")
    result = driver.execute_script(SOURCE)
    try_out(driver, "edges")
    wait_for(lambda: "edges makes PNG of 320 × 200 pixels" in text(driver, "#tried"), "what it would make")
    assert "Nothing of it is stored" in text(driver, "#tried")
    assert str(driver.execute_script(SOURCE)).startswith("blob:")
    assert driver.execute_script(SHOWN) == 320
    assert text(driver, ".cut span:last-child") == "edges, tried"
    # Another one takes its place, and what was there at first comes back.
    try_out(driver, "thumbnail")
    wait_for(lambda: "thumbnail makes" in text(driver, "#tried"), "what the other would make")
    driver.find_element(By.CSS_SELECTOR, "#tried button").click()
    assert driver.execute_script(SOURCE) == result
    assert (text(driver, ".cut span:last-child"), text(driver, "#tried")) == ("Result", "")
    assert driver.execute_script("return document.activeElement.id") == "try"
    assert mill.totals() == before
    assert console(driver) == []


def test_why_a_recipe_makes_nothing_of_a_picture_is_said(mill: Mill, browser: Open) -> None:
    (image_id,) = mill.accepted(broken_jpeg())
    reason = mill.ended(image_id)["reason"]
    driver = browser()
    driver.get(f"{mill.url}/pictures/{image_id}")
    try_out(driver, "edges")
    wait_for(lambda: text(driver, "#tried") == reason, "the reason")
    assert driver.find_element(By.ID, "try").is_enabled()
