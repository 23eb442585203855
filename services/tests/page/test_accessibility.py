"""Nothing on any page keeps people from using it, by day, by night and on a phone: what axe-core can find."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from werkzeug.serving import make_server

import pictures
from api.access.conftest import doors
from browsing import Open
from imagemill.api.web.sections import SECTIONS
from imagemill.local.couch import CouchServer
from imagemill.local.places import TOOLS
from mill import Mill, wait_for
from uploading import batch_of, drop, ended, files, states

AXE = TOOLS / "axe/node_modules/axe-core/axe.min.js"
LOOKS = pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
DESCRIPTION = "/api/docs"
PHONE = 720
WRONG = 2
OTHERS = ("/access/changes", "/alerts/events", "/alerts/held-back", "/alerts/new-rule", "/cameras/new",
          "/pictures?state=failed", "/pictures?state=rejected", "/pictures?view=rows", "/pictures?view=grid",
          "/pictures?name=a", "/alerts/rules", "/webhooks", "/failures?state=all", "/batches?prefix=b",
          "/find?q=nothing", DESCRIPTION, "/nowhere")  # fmt: skip
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'], ...arguments[0] })
  .then((found) => done(found.violations), (error) => done(String(error)));
"""


@pytest.fixture(scope="module")
def pages(mill: Mill) -> list[str]:
    """Every section, and what they lead to, with something to show."""
    files = [("file", ("a.png", io.BytesIO(pictures.png(64, 48)), "image/png")),
             ("file", ("gone.png", io.BytesIO(pictures.png(48, 64)), "image/png")),
             ("file", ("bomb.png", io.BytesIO(pictures.bomb_png_header(300, 200)), "image/png")),
             ("file", ("torn.jpg", io.BytesIO(pictures.truncated_jpeg(0.9)), "image/jpeg"))]  # fmt: skip
    stored, erased, failed = [
        item["id"] for item in mill.post("/api/v1/images", files=files, data={"batch": "b"}).json()["accepted"]
    ]
    mill.all_ended()
    assert mill.http.delete(f"{mill.url}/api/v1/images/{erased}", timeout=60).ok
    assert mill.post("/api/v1/tokens", json={"name": "a camera", "role": "uploader"}).status_code == 201
    camera = {"name": "Yard", "address": "rtsp://camera.example/stream"}
    assert mill.post("/api/v1/cameras", json=camera).status_code == 201
    led_to = (*(f"/pictures/{image}" for image in (stored, erased, failed)), "/batches/b", "/cameras/yard")
    return [*(section.path for section in SECTIONS), *led_to, *OTHERS]


def barriers(driver: Chrome, **options: Any) -> list[str]:
    """Each finding, as a line with the elements it is about; `options` are axe's."""
    assert AXE.exists(), f"{AXE} is not there: run `make test-services`, or make that file"
    driver.execute_script(Path(AXE).read_text("utf-8"))
    found: list[dict[str, Any]] | str = driver.execute_async_script(RUN, options)
    assert isinstance(found, list), found
    return [
        f"{item['id']} ({item['impact']}): {item['help']}: "
        + "; ".join(node["html"][:160] for node in item["nodes"][:5])
        for item in found
    ]


@LOOKS
def test_no_page_has_a_barrier(mill: Mill, browser: Open, pages: list[str], scheme: str, width: int) -> None:
    driver, wrong = browser(width, 900, scheme), []
    # By night a page has other colors, and is otherwise the same.
    options = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
    for path in pages:
        if path == DESCRIPTION and (scheme, width) != ("light", 1280):
            continue  # thousands of elements, of kinds which other pages have too
        driver.get(mill.url + path)
        wrong += [f"{path}: {finding}" for finding in barriers(driver, **options)]
    assert not wrong, "\n".join(wrong)


@LOOKS
def test_the_panel_of_uploads_has_no_barrier(
    mill: Mill, browser: Open, tmp_path: Path, scheme: str, width: int
) -> None:
    driver = browser(width, 900, scheme)
    driver.get(f"{mill.url}/pools")
    drop(driver, files(tmp_path, [pictures.photo_jpeg(96, 64, seed=width), b"no picture"]))
    wait_for(lambda: ended(driver), "all to end")
    driver.execute_script("document.querySelector('#upload-list[hidden]') && document.querySelector('#unfold').click()")
    wait_for(lambda: len(states(driver)) == 2, "the rows")
    wrong = barriers(driver)
    driver.get(f"{mill.url}/?batch={batch_of(driver)}")
    wait_for(lambda: len(states(driver)) == 2, "the rows of the page")
    wrong += barriers(driver)
    assert not wrong, "\n".join(wrong)


@LOOKS
def test_what_opens_over_a_page_has_no_barrier(
    mill: Mill, browser: Open, pages: list[str], scheme: str, width: int
) -> None:
    driver, wrong = browser(width, 900, scheme), []
    driver.get(f"{mill.url}/failures")
    driver.find_element("tag name", "body").send_keys("?")
    wait_for(lambda: driver.find_elements("css selector", "dialog[open]"), "the keys")
    wrong += [f"keys: {finding}" for finding in barriers(driver)]
    driver.execute_script("document.querySelector('dialog').close()")
    if width < PHONE:
        driver.find_element("css selector", ".more button").click()
        wrong += [f"more: {finding}" for finding in barriers(driver)]
    for path, summary in ((pages[len(SECTIONS)], ".erase summary"), ("/access", ".new-token summary")):
        driver.get(mill.url + path)
        driver.execute_script(f"document.querySelector('{summary}').click()")
        wrong += [f"{path}, open: {finding}" for finding in barriers(driver)]
    assert not wrong, "\n".join(wrong)


def test_a_form_with_mistakes_has_no_barrier(mill: Mill, browser: Open) -> None:
    driver = browser()
    driver.get(f"{mill.url}/access")
    driver.execute_script("document.querySelector('.new-token summary').click()")
    driver.find_element("id", "name").send_keys("x")
    driver.find_element("id", "source").send_keys("a b!")
    driver.find_element("id", "requests_per_second").send_keys("many")
    driver.find_element("css selector", ".new-token button.primary").click()
    wait_for(lambda: len(driver.find_elements("css selector", ".wrong")) == WRONG, "what is wrong")
    assert driver.switch_to.active_element.get_attribute("id") == "requests_per_second"
    assert barriers(driver) == []


@pytest.fixture(scope="module")
def login_address(couch: CouchServer) -> Iterator[str]:
    """Where a login is needed, and nobody is logged in."""
    with doors(couch) as made:
        server = make_server("127.0.0.1", 0, made().app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/login"
        server.shutdown()
        thread.join()
        server.server_close()


@LOOKS
def test_nothing_keeps_people_from_logging_in(login_address: str, browser: Open, scheme: str, width: int) -> None:
    driver = browser(width, 900, scheme)
    driver.get(login_address)
    assert driver.find_elements("name", "token")
    assert barriers(driver) == []


def test_a_barrier_is_found(login_address: str, browser: Open) -> None:
    driver = browser()
    driver.get(login_address)
    driver.execute_script("document.querySelectorAll('label').forEach((label) => label.remove())")
    assert any(finding.startswith("label (critical)") for finding in barriers(driver))
