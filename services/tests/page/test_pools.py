"""The page of the pools, in a real browser."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

import pictures
from browsing import Open, console, text
from imagemill.api.pools.page import is_unused
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from scaler import STEER_TOKEN, busy_then_broken, scaler

BUSY = '[data-pool="busy"]'


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    with (
        scaler(busy_then_broken) as pools,
        running_mill(
            rabbit, couch, tmp_path_factory.mktemp("mill"), pools_url=pools, pools_steer_token=STEER_TOKEN
        ) as running,
    ):
        yield running


def drawn(driver: Chrome, url: str) -> None:
    driver.get(url)
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, f"{BUSY} .frames svg"), "the chart")


def values(driver: Chrome) -> str:
    return text(driver, f"{BUSY} .values")


def test_a_moments_values_are_said_by_arrow_keys_and_read_out(mill: Mill, browser: Open) -> None:
    driver = browser()
    drawn(driver, f"{mill.url}/pools?range=15m")
    assert values(driver).startswith("Last 10 s: up to 15 waiting (objective: at most ")
    assert ", broken), 1 of 2 workers ready" in values(driver)
    frames = driver.find_element(By.CSS_SELECTOR, f"{BUSY} .frames")
    driver.execute_script("arguments[0].focus()", frames)
    frames.send_keys(*[Keys.LEFT] * 25)
    assert "broken" not in values(driver)
    assert "2 of 2 workers ready, 2 a second arrived, 2 done" in values(driver)
    assert text(driver, f"{BUSY} [aria-live]") == values(driver)
    frames.send_keys(Keys.END)
    assert "1 of 2 workers ready" in values(driver)
    frames.send_keys(Keys.ESCAPE)
    assert values(driver).startswith("Last 10 s")
    assert console(driver) == []


def test_a_moments_values_are_said_under_the_pointer(mill: Mill, browser: Open) -> None:
    driver = browser()
    drawn(driver, f"{mill.url}/pools?range=15m")
    frames = driver.find_element(By.CSS_SELECTOR, f"{BUSY} .frames")
    ActionChains(driver).move_to_element(frames).perform()
    wait_for(lambda: "2 of 2 workers ready" in values(driver), "the values of that moment")
    ActionChains(driver).move_to_element(driver.find_element(By.TAG_NAME, "h1")).perform()
    wait_for(lambda: values(driver).startswith("Last 10 s"), "the newest values")


def test_the_objective_is_drawn_as_it_was_and_red_is_only_where_it_was_broken(mill: Mill, browser: Open) -> None:
    driver = browser()
    drawn(driver, f"{mill.url}/pools?range=15m")
    path = driver.execute_script("return document.querySelector('.chart path.objective').getAttribute('d')")
    heights = re.findall(r" ([\d.]+)", path)
    assert float(heights[0]) < float(heights[-1])
    reds = "return [...document.querySelectorAll('[data-pool=\"busy\"] .chart svg *')]"
    bad = driver.execute_script("return getComputedStyle(document.querySelector('.band')).fill")
    red = driver.execute_script(
        f"{reds}.filter((shape) => [getComputedStyle(shape).stroke, getComputedStyle(shape).fill].includes('{bad}'))"
        ".map((shape) => shape.getAttribute('class'))"
    )
    assert set(red) == {"broken", "band"}
    left = driver.execute_script("return Number(document.querySelector('.chart .band').getAttribute('x'))")
    assert left > driver.execute_script("return document.querySelector('.frames').clientWidth") / 2
    assert driver.execute_script("return document.querySelectorAll('[data-pool=\"unused\"] .band').length") == 0


def test_the_range_is_in_the_address_and_a_pool_with_nothing_to_do_has_a_small_chart(mill: Mill, browser: Open) -> None:
    driver = browser(390, 844)
    drawn(driver, f"{mill.url}/pools")
    assert text(driver, "[aria-label=Range] [aria-current]") == "1 hour"
    driver.find_element(By.LINK_TEXT, "1 day").click()
    wait_for(lambda: driver.current_url.endswith("/pools?range=1d"), "the address")
    wait_for(lambda: "−24 h" in text(driver, f"{BUSY} .frames"), "a day's chart")
    sizes = "return [...document.querySelectorAll('.chart')].map((chart) => chart.offsetHeight)"
    busy, unused, _ = driver.execute_script(sizes)
    assert unused < busy / 2
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("changed", "unused"),
    [({}, True), ({"backlog": 3}, False), ({"arrival_rate": 0.1}, False), ({"done_rate": 0.1}, False),
     ({"replicas": 2}, False), ({"backlog": None, "arrival_rate": None}, True)],
)  # fmt: skip
def test_a_pool_that_was_quick_with_all_that_came_has_something_to_show(changed: dict[str, Any], unused: bool) -> None:
    still = {"backlog": 0, "replicas": 1, "arrival_rate": 0.0, "done_rate": 0.0}
    assert is_unused({"history": [still, still | changed, still]}) is unused


@pytest.mark.parametrize("asked", ["86401", "-1", "1e3", "x", "999999999999"])
def test_more_history_than_is_kept_is_refused_in_words(mill: Mill, asked: str) -> None:
    answer = mill.get("/api/v1/pools", params={"history_seconds": asked})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-history")
    assert "86400" in answer.json()["detail"]


def test_pools_tell_when_they_were_decided_as_all_other_times_are_told(mill: Mill) -> None:
    pools = mill.get("/api/v1/pools").json()["pools"]
    assert {pool["decided_at"] for pool in pools} == {"2027-01-15T08:00:00.000Z"}
    assert pools[0]["at"] == 1.8e9
    assert mill.get("/pools?range=no-such").status_code == 200


def press(driver: Chrome, selector: str) -> None:
    """Not under the bar at the bottom of a phone."""
    button = driver.find_element(By.CSS_SELECTOR, selector)
    driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", button)
    button.click()


def change(mill: Mill, pool: str, body: object) -> requests.Response:
    return mill.http.patch(f"{mill.url}/api/v1/pools/{pool}", json=body, timeout=60)


def newest_change(mill: Mill) -> dict[str, Any]:
    entries: list[dict[str, Any]] = mill.get("/api/v1/audit").json()["entries"]
    return entries[0] if entries else {"after": None}


def test_a_pool_is_paused_and_bounded_and_the_audit_has_what_it_was(mill: Mill) -> None:
    answer = change(mill, "busy", {"paused": True, "max_replicas": 6})
    assert (answer.status_code, answer.json()) == (200, {"paused": True, "min_replicas": 1, "max_replicas": 6})
    entry = newest_change(mill)
    assert (entry["action"], entry["subject"]) == ("pool.change", "busy")
    assert entry["before"] == {"paused": False, "max_replicas": 4}
    assert entry["after"] == {"paused": True, "max_replicas": 6}


@pytest.mark.parametrize(
    ("pool", "body", "status", "code"),
    [
        ("busy", {"max_replicas": 9}, 422, "bad-value"),
        ("busy", {"replicas": 3}, 422, "bad-value"),
        ("busy", [], 400, "bad-json"),
        ("other", {"paused": True}, 404, "unknown-pool"),
        ("..%2Fhealthz", {"paused": True}, 404, "not-found"),
        ("Busy%00", {"paused": True}, 404, "unknown-pool"),
    ],
)
def test_a_change_that_is_not_within_the_scalers_bounds_is_refused_in_its_words(
    mill: Mill, pool: str, body: object, status: int, code: str
) -> None:
    answer = change(mill, pool, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_operators_steer_pools_on_the_page(mill: Mill, browser: Open) -> None:
    driver = browser(390, 844)
    drawn(driver, f"{mill.url}/pools?range=15m")
    press(driver, f"{BUSY} [aria-label^='Pause scaling']")
    wait_for(lambda: newest_change(mill)["after"] == {"paused": True}, "the audit's entry")
    wait_for(lambda: driver.current_url.endswith("/pools?range=15m"), "the page again")
    drawn(driver, f"{mill.url}/pools?range=15m")
    most = driver.find_element(By.CSS_SELECTOR, f"{BUSY} [name=max_replicas]")
    most.clear()
    most.send_keys("99")
    press(driver, f"{BUSY} [aria-label^='Set the bounds']")
    wait_for(lambda: "at most 8 are allowed" in text(driver, f"{BUSY} [role=alert]"), "why not")
    assert driver.find_element(By.CSS_SELECTOR, f"{BUSY} [name=max_replicas]").get_attribute("value") == "99"
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_a_bound_that_was_only_shown_is_not_set(mill: Mill, browser: Open) -> None:
    """The page shows a minimum of 0, the scaler has 1: a schedule, or somebody else, may have made the difference."""
    driver = browser()
    drawn(driver, f"{mill.url}/pools")
    most = driver.find_element(By.CSS_SELECTOR, f"{BUSY} [name=max_replicas]")
    most.clear()
    most.send_keys("7")
    press(driver, f"{BUSY} [aria-label^='Set the bounds']")
    wait_for(lambda: newest_change(mill)["after"] == {"max_replicas": 7}, "the audit's entry, of the maximum alone")


def test_who_works_on_what_is_told_and_shown(mill: Mill, browser: Open) -> None:
    image_id = mill.accepted(pictures.photo_jpeg(96, 64, seed=8101))[0]
    mill.ended(image_id)

    def workers() -> list[dict[str, Any]]:
        pools = {pool["name"]: pool for pool in mill.get("/api/v1/pools").json()["pools"]}
        return list(pools["default"]["workers"])

    wait_for(workers, "the worker that made it")
    driver = browser()
    driver.get(f"{mill.url}/pools")
    name = workers()[0]["name"]
    assert f"{name} idle, last heard" in " ".join(text(driver, "[data-pool=default] .workers ul").split())
    assert "No worker has told of a picture" in text(driver, f"{BUSY} .workers")
    assert console(driver) == []
