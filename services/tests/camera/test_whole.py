"""From a file to events: reader, broker, analyzer and database together."""

from pathlib import Path
from typing import Any

import numpy as np

from feeds.videos import FPS, SHORT_MOTIONS, SHORT_SECONDS, short_yard_video
from imagemill.camera_events import EventStore
from imagemill.couch import Couch
from mill import Mill, wait_for


def test_a_video_gives_one_event_for_every_motion_and_every_frame_is_counted(
    mill: Mill, folder: Path, store: Couch
) -> None:
    short_yard_video(folder / "walks.avi", np.random.default_rng(5))
    mill.start("api", "writer", "analyzer", "camera")
    motion = {"quiet_seconds": 2.5}
    given = {"name": "walks", "address": "walks.avi", "frames_per_second": 4, "loop": False, "motion": motion}
    assert mill.post("/api/v1/cameras", json=given).status_code == 201
    events = EventStore(store)
    wait_for(lambda: len(ended(events)) == len(SHORT_MOTIONS), "an event for each motion", 120)
    wait_for(lambda: status(mill)["state"] == "ended", "the end of the file")
    # A reader on a busy machine leaves frames out rather than pile them up; whatever it does is counted.
    wait_for(lambda: counted(mill) == SHORT_SECONDS * FPS, "every frame of the video to be counted")
    counts = status(mill)["counts"]
    assert (counts["late"], counts["unreadable"]) == (0, 0)
    assert len(ended(events)) == len(events.events(10).documents) == len(SHORT_MOTIONS)


def counted(mill: Mill) -> int:
    counts = status(mill)["counts"] or {"frames": 0, "missed": 0}
    return int(counts["frames"] + counts["missed"])


def status(mill: Mill) -> dict[str, Any]:
    found: dict[str, Any] = mill.get("/api/v1/cameras/walks").json()["status"]
    return found


def ended(events: EventStore) -> list[str]:
    return [event["kind"] for event in events.events(10).documents if event["ended_at"] is not None]
