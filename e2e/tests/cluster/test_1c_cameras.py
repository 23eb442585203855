"""From a camera of the cluster, and from posted pictures, to a numbered alert, a signed webhook and a page."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from imagemill_e2e.cameras import CAMERA, CAMERA_PORT, Desk, Webhook, camera_and_desk, drawn_walk, send
from imagemill_e2e.cluster import Cluster
from imagemill_e2e.forward import Forward
from imagemill_e2e.mill import TIMEOUT_SECONDS, Mill
from imagemill_e2e.waiting import until

SHOTS = os.environ.get("IMAGEMILL_SCREENSHOTS")
ADDRESS = f"rtsp://{CAMERA}:{CAMERA_PORT}/yard"
# The figure of e2e/camera/scene.py walks through the lower half.
ZONES = [
    {"name": "path", "points": [[0, 0.55], [1, 0.55], [1, 1], [0, 1]]},
    {"name": "roof", "points": [[0, 0], [1, 0], [1, 0.45], [0, 0.45]]},
]
YARD = {
    "address": ADDRESS, "credentials": "yard", "frames_per_second": 2,
    "motion": {"quiet_seconds": 4, "zones": ZONES},
}  # fmt: skip
RULES: dict[str, Any] = {
    "yard": {"cameras": ["yard-*"], "kinds": ["motion"], "zones": ["path"], "cool_down_seconds": 3600},
    "posted": {"cameras": ["posted-*"], "kinds": ["motion"]},
}


@pytest.fixture(scope="module")
def desk(cluster: Cluster, forward: Forward) -> Iterator[Desk]:
    """Told by two rules, one for the camera and one for posted pictures."""
    mill = Mill(forward.url, cluster.admin_token())
    with camera_and_desk(cluster) as desk:
        for name, rule in RULES.items():
            send(mill, "PUT", f"/api/v1/rules/{name}", rule | {"channels": ["desk"]}).raise_for_status()
        yield desk
        for name in RULES:
            send(mill, "DELETE", f"/api/v1/rules/{name}").raise_for_status()


@pytest.fixture
def yard(desk: Desk, mill: Mill) -> Iterator[str]:
    """The camera, watched; no other run's alerts are this one's."""
    camera = f"yard-{uuid.uuid4().hex[:8]}"
    send(mill, "POST", "/api/v1/cameras", YARD | {"name": camera}).raise_for_status()
    yield camera
    send(mill, "DELETE", f"/api/v1/cameras/{camera}").raise_for_status()


def told(desk: Desk, camera: str) -> Webhook:
    """The webhook about a camera; its signature is right, for the receiver as it is documented and for this test."""
    webhook = until(f"the desk is told of {camera}", lambda: desk.told_of(camera), 120, pause_seconds=1)
    assert webhook.status == 204
    assert webhook.is_signed()
    number = webhook.alert["number"]
    assert webhook.headers["Imagemill-Alert"] == str(number)
    assert webhook.headers["Idempotency-Key"] == f"alert-{number}-desk"
    assert webhook.alert["url"] == f"http://mill.example/alerts/{number}"
    return webhook


def ended(mill: Mill, number: int) -> dict[str, Any]:
    """The alert of that number, once its event has ended and is kept with its pictures."""

    def find() -> dict[str, Any] | None:
        alert: dict[str, Any] = mill.get(f"/api/v1/alerts/{number}").json()
        return alert if alert["details"]["ended_at"] else None

    return until(f"the event of alert {number} ends", find, 120, pause_seconds=1)


def check_page(browser: webdriver.Chrome, mill: Mill, alert: dict[str, Any]) -> None:
    """The page of that number shows the alert with its pictures, and who was told."""
    wanted = ["#best figure.marked", "#best figure.clean", "#best figure.earlier"]
    if alert["details"]["ended_at"]:
        wanted.append(".strip li")
    browser.set_window_size(1280, 1200)
    browser.get(f"{mill.url}/alerts/{alert['number']}")
    assert f"Alert {alert['number']}" in browser.title
    text = browser.find_element(By.ID, "main").text
    for words in (alert["camera"], "Motion", "desk", "Acknowledge"):
        assert words in text
    loaded = "return arguments[0].every(place => document.querySelector(place + ' img').naturalWidth > 0)"
    WebDriverWait(browser, 30).until(lambda page: page.execute_script(loaded, wanted))
    if SHOTS:
        browser.save_screenshot(str(Path(SHOTS) / f"alert-{alert['camera'].partition('-')[0]}.png"))


def test_a_camera_with_a_login_from_a_secret_is_tried_before_it_is_saved(desk: Desk, mill: Mill) -> None:
    assert mill.get("/api/v1/cameras").json()["credentials"] == ["yard"]

    def refused() -> requests.Response | None:
        # A Service leads to a pod a moment after the pod is ready.
        answer = send(mill, "POST", "/api/v1/cameras/test", {"address": ADDRESS})
        assert (answer.status_code, answer.json()["code"]) == (422, "camera-failed")
        return None if "cannot be reached" in answer.json()["detail"] else answer

    detail = until("the camera answers", refused, 60).json()["detail"]
    assert "asks for a user and a password" in detail
    tried = send(mill, "POST", "/api/v1/cameras/test", {"address": ADDRESS, "credentials": "yard"})
    assert tried.content.startswith(b"\xff\xd8"), tried.text


def test_motion_before_a_camera_is_an_alert_a_signed_webhook_and_a_page(
    desk: Desk, yard: str, mill: Mill, browser: webdriver.Chrome
) -> None:
    webhook = told(desk, yard)
    assert webhook.alert["event"]["kind"] == "motion"
    alert = ended(mill, webhook.alert["number"])
    assert (alert["camera"], alert["kind"]) == (yard, "motion")
    assert "yard" in alert["rules"]
    assert [(line["channel"], line["result"], line["status"]) for line in alert["sent"]] == [("desk", "sent", 204)]
    # It walked for six seconds through the path, and not over the roof.
    assert alert["details"]["zones"] == ["path"]
    assert 2 <= alert["details"]["seconds"] <= 10
    check_page(browser, mill, alert)


def test_posted_pictures_with_motion_are_an_alert_a_signed_webhook_and_a_page(
    desk: Desk, mill: Mill, batch: str, browser: webdriver.Chrome
) -> None:
    source = f"posted-{uuid.uuid4().hex[:8]}"
    for picture in drawn_walk(40):
        answer = requests.post(
            f"{mill.url}/api/v1/images", params={"source": source, "batch": batch}, data=picture,
            headers={"Content-Type": "image/jpeg", **mill.headers}, timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
        assert answer.status_code == 202, answer.text
    alert = mill.get(f"/api/v1/alerts/{told(desk, source).alert['number']}").json()
    assert (alert["camera"], alert["kind"]) == (source, "motion")
    (event,) = [item for item in mill.get("/api/v1/camera-events").json()["events"] if item["source"] == source]
    assert (event["id"], event["alert"]) == (alert["event"], alert["number"])
    check_page(browser, mill, alert)
    assert mill.wait_done(batch)["stored"] == 40


def test_a_webhook_with_a_wrong_signature_is_refused(desk: Desk) -> None:
    assert desk.answer_to_a_forgery() == 403
