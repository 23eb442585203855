"""From frames to a numbered alert that is found by its number: API, page, ZIP, finder, pins."""

import base64
import io
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from browsing import MODULES
from cameras.feeds.videos import short_yard_video
from imagemill.domain.events import Event
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from imagemill.wire.broker import Broker
from imagemill.wire.events import EventNews, event_message
from mill import Mill, wait_for
from mills import running_mill
from motion.scenes import WALK_FRAMES
from page.conftest import browser, chromium  # noqa: F401
from receiver import Receiver, receiving
from watching import publish, publishing, today

SHOTS = os.environ.get("IMAGEMILL_SCREENSHOTS")
Open = Callable[[int, int], webdriver.Chrome]


@dataclass(frozen=True)
class Watched:
    """A running Imagemill which has seen a walk in the yard and one in the garden, held back by the cool-down."""

    mill: Mill
    receiver: Receiver


@pytest.fixture(scope="module")
def watched(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    with receiving() as receiver, running_mill(rabbit, couch, folder) as mill:
        (folder / "channels.yaml").write_text(
            f"desk:\n  webhook: {receiver.url}\n  secret: sixteen bytes and more\n  allow_private: true\n"
        )
        put = mill.http.put(
            f"{mill.url}/api/v1/rules/everything", json={"channels": ["desk"], "cool_down_seconds": 300}, timeout=30
        )
        assert put.json()["channels"] == ["desk"]
        mill.start("analyzer", "alerter", channels_file=folder / "channels.yaml", page_url=mill.url)
        with publishing(mill.amqp_url) as broker:
            publish(broker, "yard", today(WALK_FRAMES))
            wait_for(lambda: ended(mill, 1), "the first event to end")
            publish(broker, "yard", [replace(frame, generation=2) for frame in today(WALK_FRAMES, ago=-120)])
            wait_for(lambda: ended(mill, 2), "the second event to end")
        wait_for(lambda: "sent" in results(mill, 1), "the webhook")
        wait_for(lambda: mill.get("/api/v1/held-back").json()["held_back"], "the second event to be held back")
        yield Watched(mill, receiver)


def ended(mill: Mill, count: int) -> bool:
    events = mill.get("/api/v1/camera-events").json()["events"]
    return sum(event["ended_at"] is not None for event in events) >= count


def results(mill: Mill, number: int) -> list[str]:
    return [attempt["result"] for attempt in mill.get(f"/api/v1/alerts/{number}").json().get("sent", [])]


def test_an_alert_tells_everything_by_its_number(watched: Watched) -> None:
    alert = watched.mill.get("/api/v1/alerts/1").json()
    assert (alert["number"], alert["camera"], alert["rules"]) == (1, "yard", ["everything"])
    assert [(line["channel"], line["result"], line["status"]) for line in alert["sent"]] == [("desk", "sent", 204)]
    names = [item["name"] for item in alert["details"]["pictures"]]
    assert names[:3] == ["best.jpg", "annotated.jpg", "before.jpg"]
    for item in alert["details"]["pictures"]:
        answer = watched.mill.get(item["url"])
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.content.startswith(b"\xff\xd8")
        assert watched.mill.get(item["url"], headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    unknown = watched.mill.get("/api/v1/alerts/2").json()
    assert (unknown["code"], unknown["detail"]) == ("unknown-alert", "There is no alert 2; the last one is 1.")
    assert watched.mill.get("/api/v1/alerts/1/pictures/..%2Fx.jpg").status_code == 404


def test_lists_are_paged_and_the_held_back_event_says_why_not(watched: Watched) -> None:
    (alert,) = watched.mill.get("/api/v1/alerts").json()["alerts"]
    first = watched.mill.get("/api/v1/camera-events?limit=1").json()
    second = watched.mill.get(f"/api/v1/camera-events?limit=1&after={first['next']}").json()
    assert [page["events"][0]["alert"] for page in (first, second)] == [None, 1]
    assert second["events"][0]["id"] == alert["event"]
    (held,) = watched.mill.get("/api/v1/held-back?camera=yard").json()["held_back"]
    assert (held["event"], held["code"]) == (first["events"][0]["id"], "cool-down")
    assert "alert 1 of the same camera" in held["reason"]
    assert watched.mill.get("/api/v1/held-back?camera=garden").json()["held_back"] == []
    assert watched.mill.get("/api/v1/held-back?after=nonsense").json()["code"] == "bad-cursor"
    assert watched.mill.get("/api/v1/alerts?after=x").json()["code"] == "bad-cursor"


def test_an_alert_is_a_zip(watched: Watched) -> None:
    answer = watched.mill.get("/api/v1/alerts/1.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        page = archive.read("alert-1/index.html").decode()
    assert "<h1>Alert 1 yard</h1>" in page
    assert '<img src="annotated.jpg"' in page
    assert {"alert-1/alert.json", "alert-1/best.jpg", "alert-1/annotated.jpg", "alert-1/strip-00.jpg"} <= set(names)


def test_open_pages_hear_of_events(watched: Watched) -> None:
    heard: list[dict[str, Any]] = []

    def listen() -> None:
        heard.append(next(data for kind, data in watched.mill.events() if kind == "camera-event"))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    with publishing(watched.mill.amqp_url) as broker:
        wait_for(lambda: _told_to_open_pages(broker, thread), "the page to hear of it")
    assert heard[0]["change"] == "update"
    assert heard[0]["event"]["source"] == "nowhere"


def _told_to_open_pages(broker: Broker, thread: threading.Thread) -> bool:
    now = time.time()
    event = Event(
        id=f"nowhere:{round(now * 1000)}", source="nowhere", kind="motion", event_class="detection", started_at=now
    )
    broker.publish(event_message(EventNews("update", event)))
    thread.join(0.5)
    return not thread.is_alive()


def test_channels_are_named_and_tested(watched: Watched) -> None:
    assert watched.mill.get("/api/v1/channels").json() == {
        "channels": [{"name": "desk", "kind": "webhook", "outcomes": [], "callback": False}]
    }
    tested = watched.mill.post("/api/v1/channels/desk/test").json()
    assert (tested["ok"], tested["status"]) == (True, 204)
    assert watched.receiver.numbers()[-1] == "0"
    assert watched.mill.post("/api/v1/channels/nobody/test").json()["code"] == "unknown-channel"


def test_rules_are_written_and_refused_with_a_sentence(watched: Watched) -> None:
    http, base = watched.mill.http, f"{watched.mill.url}/api/v1/rules"
    rule = http.put(f"{base}/night", json={"hours": ["22:00-06:00"], "cameras": ["none-*"]}, timeout=30).json()
    assert (rule["name"], rule["hours"]) == ("night", ["22:00-06:00"])
    assert [item["name"] for item in http.get(base, timeout=30).json()["rules"]] == ["everything", "night"]
    wrong = http.put(f"{base}/night", json={"hours": ["late"]}, timeout=30)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad-rule")
    assert "'late' are no hours" in wrong.json()["detail"]
    assert http.delete(f"{base}/night", timeout=30).status_code == 204
    assert http.delete(f"{base}/night", timeout=30).json()["code"] == "unknown-rule"


def test_snoozes_pins_and_acknowledgements(watched: Watched) -> None:
    mill = watched.mill
    made = mill.post("/api/v1/alerts/1/snooze", json={"seconds": 60, "by": "ann"})
    assert made.status_code == 201
    (snooze,) = mill.get("/api/v1/snoozes").json()["snoozes"]
    assert (snooze["camera"], snooze["by"]) == ("yard", "ann")
    assert mill.http.delete(mill.url + made.headers["Location"], timeout=30).status_code == 204
    assert mill.get("/api/v1/snoozes").json()["snoozes"] == []
    assert mill.post("/api/v1/snoozes", json={"seconds": -1}).json()["code"] == "bad-value"
    assert mill.post("/api/v1/alerts/1/pin").json() == {"number": 1, "pinned": True}
    assert mill.get("/api/v1/alerts/1").json()["pinned"]
    assert mill.http.delete(f"{mill.url}/api/v1/alerts/1/pin", timeout=30).json()["pinned"] is False
    seen = mill.post("/api/v1/alerts/1/acknowledge", json={"by": "ann", "note": "it was the cat"}).json()
    assert (seen["by"], seen["note"]) == ("ann", "it was the cat")
    assert mill.post("/api/v1/alerts/1/acknowledge", json={"by": "bob"}).json()["by"] == "ann"


@pytest.mark.parametrize(
    "path",
    ["/alerts", "/alerts/1", "/alerts/events", "/alerts/held-back", "/alerts/rules", "/alerts?camera=garden"],
)
def test_pages_are_complete_without_scripts(watched: Watched, path: str) -> None:
    answer = watched.mill.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]* src=)|<style| style=", answer.text)


def test_the_finder_finds_an_alert_by_its_number(watched: Watched) -> None:
    for query in ("1", "%231"):
        answer = watched.mill.get(f"/find?q={query}", allow_redirects=False)
        assert answer.headers["Location"] == "/alerts/1"
    assert watched.mill.get("/alerts?number=1", allow_redirects=False).headers["Location"] == "/alerts/1"
    assert watched.mill.get("/alerts/99", headers={"Accept": "text/html"}).status_code == 404


def test_the_terminal_shows_an_alert_by_its_number(watched: Watched, tmp_path: Path) -> None:
    shown = cli(watched, "alert", "1", "-o", tmp_path / "pictures")
    assert "alert     1 (yard)" in shown
    assert "told      desk received (attempt 1, " in shown
    assert (tmp_path / "pictures" / "alert-1-annotated.jpg").read_bytes().startswith(b"\xff\xd8")
    assert "Motion, score" in cli(watched, "alerts")
    assert "cool-down" in cli(watched, "alerts", "--held-back")


def test_a_replay_of_stored_events_says_which_would_go(watched: Watched) -> None:
    assert "2 kept, 0 gone" in cli(watched, "replay", "--camera", "yard", "--set", "sensitivity=60")
    gone = cli(watched, "replay", "--camera", "yard", "--since", "1h", "--set", "min_area=0.2")
    assert "0 kept, 2 gone" in gone
    assert re.search(r"^- .* \(alert 1\): would not come any more$", gone, re.MULTILINE)
    assert "what would come cannot be found in them" in gone
    assert "imagemill replay --camera yard --file VIDEO" in gone
    longer = cli(watched, "replay", "--camera", "yard", "--set", 'alert_when={"min_seconds": 600}')
    assert "0 kept, 0 gone, 2 of another class" in longer
    assert "alert would become detection" in longer


def test_a_replay_of_a_video_says_which_would_come_and_go(watched: Watched, tmp_path: Path) -> None:
    video = short_yard_video(tmp_path / "yard.avi", np.random.default_rng(11))
    said = cli(watched, "replay", "--file", video, "--set", "min_area=0.2")
    assert re.search(r"^- 00:0\d motion .*: would not come any more$", said, re.MULTILINE)


def cli(watched: Watched, *arguments: object) -> str:
    command = [sys.executable, "-m", "imagemill.cli", "--api", watched.mill.url, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_a_person_types_the_number_and_sees_the_pictures(
    watched: Watched,
    browser: Open,  # noqa: F811
    width: int,
    height: int,
) -> None:
    driver = browser(width, height)
    driver.get(watched.mill.url + "/alerts")
    WebDriverWait(driver, 60).until(lambda d: loaded(d, ".alerts img"))
    shot(driver, f"alerts-{width}")
    field = driver.find_element(By.ID, "number")
    field.send_keys("1")
    field.submit()
    WebDriverWait(driver, 60).until(lambda d: d.current_url.endswith("/alerts/1"))
    WebDriverWait(driver, 60).until(lambda d: loaded(d, ".marked img, .strip img"))
    assert "Motion" in driver.find_element(By.CSS_SELECTOR, ".sentence").text
    assert driver.find_element(By.CSS_SELECTOR, ".sent").text.split()[:2] == ["desk", "received"]
    shot(driver, f"alert-{width}")
    WebDriverWait(driver, 60).until(lambda d: d.execute_script("return document.readyState") == "complete")
    driver.find_element(By.CSS_SELECTOR, "[data-show=earlier]").click()
    assert driver.find_element(By.CSS_SELECTOR, ".earlier").is_displayed()
    driver.execute_async_script(f"import({MODULES} + 'follow.js').then((it) => it.renew()).then(arguments[0])")
    assert driver.find_element(By.CSS_SELECTOR, ".earlier").is_displayed()
    assert driver.find_element(By.CSS_SELECTOR, ".best .controls").is_displayed()
    for path in ("/alerts/held-back", "/alerts/rules", "/alerts/events"):
        driver.get(watched.mill.url + path)
        assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth"), path
        shot(driver, f"{path.rpartition('/')[2]}-{width}")
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_the_report_prints_on_one_page(watched: Watched, browser: Open) -> None:  # noqa: F811
    driver = browser(1280, 900)
    driver.get(watched.mill.url + "/alerts/1")
    WebDriverWait(driver, 60).until(lambda d: loaded(d, ".marked img"))
    printed = driver.execute_cdp_cmd(
        "Page.printToPDF", {"preferCSSPageSize": False, "paperWidth": 8.27, "paperHeight": 11.69}
    )
    pages = base64.b64decode(printed["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", pages)) == 1
    if SHOTS:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 760, "height": 1000, "deviceScaleFactor": 1, "mobile": False},
        )
        shot(driver, "print")
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def loaded(driver: webdriver.Chrome, selector: str) -> bool:
    script = "return [...document.querySelectorAll(arguments[0])].some((i) => i.complete && i.naturalWidth > 0)"
    return bool(driver.execute_script(script, selector))


def shot(driver: webdriver.Chrome, name: str) -> None:
    if SHOTS:
        time.sleep(0.3)  # pictures of the strip fade in; only when somebody wants to look
        Path(SHOTS).mkdir(exist_ok=True)
        height = driver.execute_script("return document.documentElement.scrollHeight")
        width = driver.execute_script("return innerWidth")
        screen = {"width": width, "height": max(height, 600), "deviceScaleFactor": 1, "mobile": width < 720}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        driver.save_screenshot(f"{SHOTS}/{name}.png")
