"""The pages of cameras: as HTML without scripts, and in a browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from browsing import EXPECTED
from camera.conftest import LEASE_SECONDS
from imagemill.api.cameras.areas import areas_of
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, wait_for
from mills import running_mill
from page.conftest import chromium  # noqa: F401 - a fixture

FORM: dict[str, str] = {
    "name": "Back yard", "address": "yard", "frames_per_second": "4", "sensitivity": "60", "enabled": "on",
    "loop": "on", "paced": "on", "areas": "zone gate: 0.1,0.1 0.4,0.1 0.4,0.4", "more": '{"quiet_seconds": 20}',
}  # fmt: skip


@pytest.fixture(scope="module")
def site(
    rabbit: RabbitServer, couch: CouchServer, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mill]:
    made = tmp_path_factory.mktemp("site")
    secrets = made / "credentials.json"
    secrets.write_text('{"cam-1": {"user": "me", "password": "hunter2", "hosts": ["cam"]}}')
    with running_mill(
        rabbit, couch, made, camera_folder=folder, camera_credentials_file=secrets, camera_lease_seconds=LEASE_SECONDS
    ) as running:
        yield running.start("camera")


def test_the_form_works_without_scripts(site: Mill) -> None:
    assert "There is no camera yet" in site.get("/cameras").text
    saved = site.post("/cameras", data=FORM)
    assert (saved.status_code, saved.url) == (200, f"{site.url}/cameras/back-yard?saved")
    found = site.get("/api/v1/cameras/back-yard").json()
    assert found["motion"] == {
        "sensitivity": 60, "quiet_seconds": 20,
        "zones": [{"name": "gate", "points": [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]}],
    }  # fmt: skip
    assert "zone gate: 0.1,0.1 0.4,0.1 0.4,0.4" in saved.text
    revision = re.search(r'name="revision" value="([^"]+)"', saved.text)[1]  # type: ignore[index]
    changed = {name: value for name, value in FORM.items() if name not in ("loop", "areas")} | {"revision": revision}
    assert site.post("/cameras/back-yard", data=changed).status_code == 200
    assert site.get("/api/v1/cameras/back-yard").json()["loop"] is False
    again = site.post("/cameras/back-yard", data=changed)
    assert (again.status_code, "changed by somebody else" in again.text) == (412, True)
    wait_for(lambda: ">live<" in site.get("/cameras").text, "the list to show it live")
    assert site.post("/cameras/back-yard/remove").url == f"{site.url}/cameras"


def test_people_are_looked_for_where_it_is_ticked_and_the_form_says_how_slow_that_is(site: Mill) -> None:
    assert "each look takes a processor about 0.2 seconds" in site.get("/cameras/new").text
    saved = site.post("/cameras", data=FORM | {"people": "on"})
    assert 'name="people" checked' in saved.text
    assert site.get("/api/v1/cameras/back-yard").json()["motion"]["people"] is True
    revision = re.search(r'name="revision" value="([^"]+)"', saved.text)[1]  # type: ignore[index]
    site.post("/cameras/back-yard", data=FORM | {"revision": revision})
    assert "people" not in site.get("/api/v1/cameras/back-yard").json()["motion"]
    assert site.post("/cameras/back-yard/remove").url == f"{site.url}/cameras"


def test_what_is_wrong_is_said_and_what_was_typed_stays(site: Mill) -> None:
    for member, value, words in (
        ("areas", "mask: 1", "corners of"),
        ("more", "{", "JSON object"),
        ("address", "rtsp://a:hunter2@b/", "credentials file"),
        ("id", "<b>", "cannot be a camera&#39;s id"),
        ("frames_per_second", "often", "must be a number"),
    ):
        answer = site.post("/cameras", data=FORM | {"id": "kept"} | {member: value})
        assert answer.status_code == 422, answer.text
        assert words in answer.text
        assert 'role="alert"' in answer.text
        assert "hunter2" not in answer.text
        assert ('value="&lt;b&gt;"' if member == "id" else 'value="kept"') in answer.text
    assert site.get("/api/v1/cameras").json()["cameras"] == []


def test_a_page_never_shows_a_password(site: Mill) -> None:
    page = site.get("/cameras/new").text
    assert "<option>cam-1</option>" in page
    assert "hunter2" not in page


@pytest.fixture
def browser(site: Mill, chromium: Any) -> Iterator[Any]:  # noqa: F811
    yield chromium
    severe = [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
    assert not [entry["message"] for entry in severe if EXPECTED not in entry["message"]]


def test_a_camera_is_added_tested_and_its_areas_drawn_in_a_browser(site: Mill, browser: Any) -> None:
    browser.set_window_size(1280, 900)
    browser.get(f"{site.url}/cameras/new")
    find = lambda css: browser.find_element(By.CSS_SELECTOR, css)  # noqa: E731
    find("#name").send_keys("Door")
    find("#address").send_keys("nowhere")
    find("#test").click()
    wait_for(lambda: "does not exist" in find("#test-says").text, "why there is no picture")
    find("#address").clear()
    find("#address").send_keys("door")
    find("#test").click()
    wait_for(lambda: find("#picture").get_property("naturalWidth") == 320, "the frame")

    find("[data-draw=zone]").click()
    drawing = find("#areas-drawing")
    width, height = drawing.size["width"], drawing.size["height"]
    for x, y in ((-0.25, -0.25), (0.25, -0.25), (0.25, 0.25)):
        ActionChains(browser).move_to_element_with_offset(drawing, int(x * width), int(y * height)).click().perform()
    drawing.send_keys(Keys.ENTER)
    zone = find("#areas").get_property("value")
    drawn = areas_of(zone)["zones"][0]
    assert drawn["name"] == "zone-1"
    assert np.allclose(drawn["points"], [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75]], atol=0.01)

    find("[data-draw=mask]").click()
    for keys in (" ", Keys.ARROW_RIGHT * 5 + " ", Keys.ARROW_DOWN * 5 + " ", Keys.ENTER):
        drawing.send_keys(keys)
    assert "mask: " in find("#areas").get_property("value")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#areas-drawing polygon")) == 2

    Select(find("#credentials")).select_by_visible_text("none")
    find("button.primary").click()
    wait_for(lambda: browser.current_url.endswith("/cameras/door?saved"), "its page")
    motion = site.get("/api/v1/cameras/door").json()["motion"]
    assert (len(motion["zones"]), len(motion["masks"])) == (1, 1)


def test_the_list_is_live_about_once_a_second_and_only_while_somebody_looks(site: Mill, browser: Any) -> None:
    site.post("/api/v1/cameras", json={"name": "Gate", "address": "gate", "frames_per_second": 5})
    wait_for(lambda: site.get("/api/v1/cameras/gate").json()["status"]["state"] == "live", "it to be live")
    browser.get(f"{site.url}/cameras")
    asked = "performance.getEntriesByType('resource').filter((one) => one.name.includes('gate/latest')).length"
    wait_for(lambda: browser.execute_script(f"return {asked}") >= 4, "four pictures")
    number, milliseconds = browser.execute_script(f"return [{asked}, performance.now()]")
    assert number <= milliseconds / 1000 + 2
    width = "return document.querySelector('[data-camera=gate] img')?.naturalWidth"
    wait_for(lambda: browser.execute_script(width) == 320, "the picture")
