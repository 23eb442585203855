"""From a camera's settings to an alert that tells of a person, with the real detector."""

from pathlib import Path

import numpy as np

from camera.conftest import LONG_LEASE_SECONDS
from cameras.feeds.videos import write
from mill import Mill, wait_for
from motion.scenes import as_picture, place
from motion.standing import person

FPS = 4
MOTION = {"people": True, "alert_when": {"people": True}, "quiet_seconds": 2.5}


def visitor(folder: Path) -> Path:
    """Somebody comes in from the left at 3 s, and is gone at 10 s."""
    rng = np.random.default_rng(4)
    empty, scenes = place(), []
    for second in np.arange(0, 18, 1 / FPS):
        there = 3 <= second < 10
        scenes.append(
            person(empty, 40 * (second - 3), 340, 150, stride=0.03 * (int(second * 2) % 2)) if there else empty
        )
    return write(folder / "visitor.avi", (as_picture(scene, rng) for scene in scenes), FPS)


def test_a_camera_that_looks_for_people_raises_an_alert_that_says_person(mill: Mill, folder: Path) -> None:
    visitor(folder)
    mill.start("api", "writer", "analyzer", "alerter", "camera", camera_lease_seconds=LONG_LEASE_SECONDS)
    given = {"name": "Door", "address": "visitor.avi", "frames_per_second": FPS, "loop": False, "motion": MOTION}
    assert mill.post("/api/v1/cameras", json=given).status_code == 201
    wait_for(lambda: mill.get("/api/v1/alerts").json()["alerts"], "the alert")
    wait_for(lambda: mill.get("/api/v1/camera-events").json()["events"][0]["ended_at"], "the event to end")
    alert = mill.get("/api/v1/alerts/1").json()
    people = alert["details"]["people"]
    assert alert["description"].startswith("Person, score ")
    assert len(people["boxes"]) == 1
    assert people["sentence"] == f"1 person found in {people['seconds']:.2f} s per frame"
    page = mill.get("/alerts/1").text
    assert people["sentence"] in page
    assert "Person, score" in mill.get("/alerts").text
