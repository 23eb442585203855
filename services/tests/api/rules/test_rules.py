"""Rules as people edit them: over the API, on the page with and without scripts, and from a shell."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browsing import text
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from page.conftest import browser, chromium  # noqa: F401 - fixtures

RULES = "/api/v1/rules"
FORM: dict[str, Any] = {
    "name": "night", "enabled": "on", "cameras": ["yard"], "cameras_others": "ga*, drive",
    "kinds": ["offline", "motion"], "classes": ["alert"], "zones_others": "door", "min_score": "0,4",
    "hours": "22:00-06:00, 12:00–13:00", "weekdays": ["sunday", "monday"], "timezone": "Europe/Berlin",
    "cool_down_seconds": "10", "cool_down_seconds_unit": "minutes", "at_most": "5", "period_seconds": "1.5",
    "period_seconds_unit": "hours", "until_acknowledged": "on", "channels_others": "desk",
}  # fmt: skip
NIGHT = {
    "name": "night", "cameras": ["yard", "ga*", "drive"], "zones": ["door"], "kinds": ["motion", "offline"],
    "classes": ["alert"], "min_score": 0.4, "hours": ["22:00-06:00", "12:00-13:00"], "weekdays": ["monday", "sunday"],
    "timezone": "Europe/Berlin", "cool_down_seconds": 600, "at_most": 5, "period_seconds": 5400,
    "until_acknowledged": True, "channels": ["desk"], "enabled": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def running(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("rules")) as mill:
        zone = {"name": "door", "points": [[0, 0], [1, 0], [1, 1]]}
        mill.post("/api/v1/cameras", json={"name": "Back yard", "id": "yard", "motion": {"zones": [zone]}})
        yield mill


@pytest.fixture
def site(running: Mill) -> Mill:
    """With the rules of a new installation."""
    for rule in running.get(RULES).json()["rules"]:
        running.http.delete(f"{running.url}{RULES}/{rule['name']}", timeout=30)
    put(running, "everything", {})
    return running


def put(site: Mill, name: str, body: dict[str, Any], **headers: str) -> Any:
    return site.http.put(f"{site.url}{RULES}/{name}", json=body, headers=headers, timeout=30)


def rule(site: Mill, name: str) -> dict[str, Any]:
    found: dict[str, Any] = site.get(f"{RULES}/{name}").json()
    return found


def revision_on(page: str) -> str:
    return re.search(r'name="revision" value="([^"]+)"', page)[1]  # type: ignore[index]


# --- the API --------------------------------------------------------------------------------------


def test_a_change_may_say_which_revision_it_changes(site: Mill) -> None:
    made = put(site, "day", {}, **{"If-None-Match": "*"})
    assert made.headers["ETag"] == f'"{made.json()["revision"]}"'
    again = put(site, "day", {}, **{"If-None-Match": "*"})
    assert (again.status_code, again.json()["code"]) == (412, "rule-exists")
    etag = {"If-Match": site.get(f"{RULES}/day").headers["ETag"]}
    assert put(site, "day", {"min_score": 0.1}, **etag).json()["min_score"] == 0.1
    stale = put(site, "day", {"min_score": 0.2}, **etag)
    assert (stale.status_code, stale.json()["code"]) == (412, "changed-meanwhile")
    assert put(site, "day", made.json()).status_code == 412
    assert put(site, "day", rule(site, "day") | {"min_score": 0.3}).json()["min_score"] == 0.3
    assert put(site, "day", {"min_score": 0.4}).json()["min_score"] == 0.4
    removed = site.http.delete(f"{site.url}{RULES}/day", headers=etag, timeout=30)
    assert (removed.status_code, removed.json()["code"]) == (412, "changed-meanwhile")
    assert site.http.delete(f"{site.url}{RULES}/day", timeout=30).status_code == 204
    assert put(site, "day", {}, **etag).status_code == 412


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"hours": ["late"]}, "hours"), ({"min_score": 2}, "min_score"), ({"kinds": []}, "kinds"),
        ({"channels": ["No Name"]}, "channels"), ({"camera": "yard"}, "camera"), ({"name": "other"}, "name"),
        ({"timezone": "Mars/Olympus"}, "timezone"), ({"cool_down_seconds": "long"}, "cool_down_seconds"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_member(site: Mill, body: dict[str, Any], member: str) -> None:
    answer = put(site, "day", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["member"]) == (422, "bad-rule", member)


def test_an_infinite_limit_is_refused_as_any_other_value(site: Mill) -> None:
    as_json = {"Content-Type": "application/json"}
    answer = site.http.put(f"{site.url}{RULES}/day", data='{"at_most": Infinity}', headers=as_json, timeout=30)
    assert (answer.status_code, answer.json()["member"]) == (422, "at_most")


def test_more_rules_than_count_are_refused(site: Mill) -> None:
    for number in range(199):
        assert put(site, f"r{number}", {}).status_code == 200
    full = put(site, "one-more", {})
    assert (full.status_code, "200 rules" in full.json()["detail"]) == (422, True)
    assert put(site, "r7", {"min_score": 0.5}).status_code == 200


# --- the page without scripts ---------------------------------------------------------------------


def test_a_rule_is_added_changed_switched_off_removed_and_put_back(site: Mill) -> None:
    saved = site.post("/alerts/rules", data=FORM)
    assert saved.url == f"{site.url}/alerts/rules?saved=night"
    assert "The rule <b>night</b> is saved; it counts from the next event on." in saved.text
    found = rule(site, "night")
    assert found == NIGHT | {"revision": found["revision"]}

    page = site.get("/alerts/rules/night").text
    assert 'value="ga*, drive"' in page
    assert '<input type="checkbox" name="zones" value="door" checked>' in page
    changed = FORM | {"revision": revision_on(page), "cool_down_seconds": "0", "kinds": ["motion"]}
    assert site.post("/alerts/rules/night", data=changed).status_code == 200
    assert rule(site, "night")["cool_down_seconds"] == 0

    assert "switched off" in site.post("/alerts/rules/night/switch", data={}).text
    assert rule(site, "night")["enabled"] is False
    assert rule(site, "night")["kinds"] == ["motion"]
    assert site.post("/alerts/rules/night/switch", data={"enabled": "on"}).status_code == 200

    gone = site.post("/alerts/rules/night/remove", data={"revision": rule(site, "night")["revision"]})
    assert site.get(f"{RULES}/night").status_code == 404
    kept = re.search(r'name="rule" value="([^"]+)"', gone.text)[1].replace("&#34;", '"')  # type: ignore[index]
    assert site.post("/alerts/restore-rule", data={"rule": kept}).url.endswith("?saved=night")
    assert rule(site, "night")["cameras"] == NIGHT["cameras"]
    assert "already" in site.post("/alerts/restore-rule", data={"rule": kept}).text


@pytest.mark.parametrize(
    ("member", "field", "value", "words"),
    [
        ("name", "name", "", "needs a name"), ("name", "name", "everything", "already"),
        ("hours", "hours", "late", "are no hours"), ("min_score", "min_score", "high", "must be a number"),
        ("at_most", "at_most", "0", "whole number"), ("timezone", "timezone", "Mars/Olympus", "not known"),
        ("cool_down_seconds", "cool_down_seconds", "-1", "0 to 30 days"), ("kinds", "kinds", [], "has no kinds"),
        ("channels", "channels_others", "The Desk", "name of a channel"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    site: Mill, member: str, field: str, value: Any, words: str
) -> None:
    answer = site.post("/alerts/rules", data=FORM | {field: value})
    assert answer.status_code == (412 if words == "already" else 422)
    beside = re.search(rf'<span class="wrong" id="wrong-{member}">([^<]+)</span>', answer.text)
    assert beside, answer.text
    assert words in beside[1]
    assert f'href="#{member}"' in answer.text
    assert 'value="ga*, drive"' in answer.text
    assert site.get(f"{RULES}/night").status_code == 404


def test_all_that_is_wrong_is_said_at_once(site: Mill) -> None:
    wrong = {"name": " ", "min_score": "high", "hours": "late", "cool_down_seconds": "-1", "timezone": "Mars/Olympus"}
    answer = site.post("/alerts/rules", data=FORM | wrong)
    assert answer.status_code == 422
    assert "5 fields are wrong; nothing is saved yet:" in answer.text
    told = dict(re.findall(r'<span class="wrong" id="wrong-([a-z_]+)">([^<]+)</span>', answer.text))
    assert set(told) == set(wrong)
    assert told["min_score"] == "Min score is &#39;high&#39;; it must be a number."
    assert answer.text.count("autofocus") == 1
    assert all(f'href="#{member}"' in answer.text for member in wrong)
    changed = site.post("/alerts/rules/everything", data={**FORM, "hours": "late", "min_score": "2"})
    assert "2 fields are wrong" in changed.text
    assert rule(site, "everything")["hours"] == []


def test_a_change_by_somebody_else_is_shown_and_not_overwritten_unseen(site: Mill) -> None:
    site.post("/alerts/rules", data=FORM)
    seen = revision_on(site.get("/alerts/rules/night").text)
    put(site, "night", NIGHT | {"cool_down_seconds": 60, "channels": []})
    answer = site.post("/alerts/rules/night", data=FORM | {"revision": seen, "min_score": "0.9"})
    assert answer.status_code == 412
    assert "changed by somebody else meanwhile" in answer.text
    told = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", answer.text)
    assert told == [("min score", "0.4"), ("cool down", "1 min"), ("channels", "nobody")]
    assert 'value="0.9"' in answer.text
    assert rule(site, "night")["min_score"] == 0.4
    mine = FORM | {"revision": revision_on(answer.text), "min_score": "0.9"}
    assert site.post("/alerts/rules/night", data=mine).status_code == 200
    assert (rule(site, "night")["min_score"], rule(site, "night")["cool_down_seconds"]) == (0.9, 600)

    for path in ("switch", "remove"):
        late = site.post(f"/alerts/rules/night/{path}", data={"revision": seen})
        assert (late.status_code, "changed by somebody else meanwhile" in late.text) == (412, True)
    site.http.delete(f"{site.url}{RULES}/night", timeout=30)
    gone = site.post("/alerts/rules/night", data=FORM | {"revision": seen})
    assert (gone.status_code, "was removed by somebody else" in gone.text) == (412, True)
    assert 'action="/alerts/rules"' in gone.text


def test_names_of_strangers_are_only_text(site: Mill) -> None:
    hostile = "<img src=x onerror=alert(1)>'\""
    assert site.post("/alerts/rules", data=FORM | {"name": hostile}).status_code == 200
    for path in ("/alerts/rules", f"/alerts/rules/{hostile}", "/alerts/new-rule?like=" + hostile):
        assert "<img src=x" not in site.get(path).text
    assert "<img src=x" not in site.post(f"/alerts/rules/{hostile}/remove").text
    assert site.get(f"{RULES}/{hostile}").status_code == 404


# --- in a browser ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_a_rule_is_made_and_removed_with_the_keyboard_alone(
    site: Mill,
    browser: Callable[..., Any],  # noqa: F811
    width: int,
    height: int,
) -> None:
    driver = browser(width, height)
    find: Callable[[str], Any] = lambda css: driver.find_element(By.CSS_SELECTOR, css)  # noqa: E731
    driver.get(f"{site.url}/alerts/new-rule")
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    wait_for(lambda: find("#timezone").get_property("value"), "a time zone")
    find("#name").send_keys("dusk", Keys.TAB, Keys.TAB, " ")
    assert driver.switch_to.active_element.get_attribute("value") == "yard"
    find("#hours").send_keys("late", Keys.ENTER)
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, "#wrong-hours"), "what is wrong")
    wait_for(lambda: driver.execute_script("return document.activeElement.id") == "hours", "the field to be chosen")
    assert find("#hours").get_attribute("aria-describedby") == "wrong-hours"
    find("#hours").clear()
    find("#hours").send_keys("17:00-22:00", Keys.ENTER)
    wait_for(lambda: driver.current_url.endswith("?saved=dusk"), "the list")
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert (rule(site, "dusk")["cameras"], rule(site, "dusk")["hours"]) == (["yard"], ["17:00-22:00"])

    find("[data-key=dusk] button").send_keys(Keys.ENTER)
    wait_for(lambda: "switched off" in text(driver, "[data-key=dusk]"), "it to be off")
    assert rule(site, "dusk")["enabled"] is False
    find("[data-key=dusk] a").send_keys(Keys.ENTER)
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, ".remove button"), "its page")
    find(".remove button").send_keys(Keys.ENTER)
    wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, "form.notice button"), "the offer to put it back")
    find("form.notice button").send_keys(Keys.ENTER)
    wait_for(lambda: driver.current_url.endswith("?saved=dusk"), "it to be back")
    assert rule(site, "dusk")["hours"] == ["17:00-22:00"]


def test_every_field_has_a_label(site: Mill, browser: Callable[..., Any]) -> None:  # noqa: F811
    driver = browser(1280, 900)
    driver.get(f"{site.url}/alerts/rules/everything")
    unnamed = "return [...document.querySelectorAll('#rule :is(input:not([type=hidden]), select)')]"
    script = f"{unnamed}.filter((field) => !field.labels.length && !field.ariaLabel).map((field) => field.name)"
    assert driver.execute_script(script) == []


# --- a shell --------------------------------------------------------------------------------------


def cli(site: Mill, *arguments: str, code: int = 0) -> tuple[str, str]:
    command = [sys.executable, "-m", "imagemill.cli", "--api", site.url, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == code, ended.stderr
    return ended.stdout, ended.stderr


def test_the_shell_adds_edits_switches_and_removes(site: Mill) -> None:
    made = ["--camera", "gate", "--kind", "motion", "--hours", "17:00-22:00", "--cool-down", "90s", "--at-most", "3"]
    said, _ = cli(site, "rules", "add", "dusk", *made, "--per", "1d", "--channel", "desk")
    assert said == "added      dusk: motion of class alert; one in 90s per camera, 3 in 1d; tells desk\n"
    assert "already" in cli(site, "rules", "add", "dusk", code=1)[1]
    cli(site, "rules", "edit", "dusk", "--hours", "", "--at-most", "0", "--min-score", "0.5", "--kind", "")
    found = rule(site, "dusk")
    assert (found["hours"], found["at_most"], found["min_score"], found["cameras"]) == ([], None, 0.5, ["gate"])
    assert len(found["kinds"]) == 4
    assert "switched off" in cli(site, "rules", "off", "dusk")[0]
    assert re.search(r"^dusk +no +gate", cli(site, "rules", "list")[0], re.MULTILINE)
    assert "cool_down_seconds   1 min 30 s" in cli(site, "rules", "show", "dusk")[0]
    assert "known are monday" in cli(site, "rules", "edit", "dusk", "--weekday", "caturday", code=1)[1]
    assert "no duration" in cli(site, "rules", "edit", "dusk", "--cool-down", "soon", code=2)[1]
    assert "no rule 'dawn'" in cli(site, "rules", "remove", "dawn", code=1)[1]


def test_a_removed_rule_is_put_back_by_the_line_that_was_told(site: Mill) -> None:
    put(site, "night", NIGHT | {"classes": ["detection", "alert"], "enabled": False})
    before = rule(site, "night")
    said, hint = cli(site, "rules", "remove", "night")
    assert said == "removed    night\n"
    assert site.get(f"{RULES}/night").status_code == 404
    cli(site, *shlex.split(hint.partition("imagemill ")[2]))
    assert rule(site, "night") | {"revision": ""} == before | {"revision": "", "classes": ["detection", "alert"]}
