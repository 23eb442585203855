"""From a file to events: reader, broker, analyzer and database together."""

from pathlib import Path

import numpy as np

from feeds.videos import SHORT_MOTIONS, short_yard_video
from imagemill.camera_events import EventStore
from imagemill.couch import Couch
from mill import Mill, wait_for


def test_a_video_gives_one_event_for_every_motion_and_no_frame_is_missed(
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
    counts = wait_for(lambda: (told := status(mill)["counts"]) and told["frames"] > 50 and told, "counts")
    assert (counts["missed"], counts["late"], counts["unreadable"]) == (0, 0, 0)
    assert len(ended(events)) == len(events.events(10).documents) == len(SHORT_MOTIONS)


def status(mill: Mill) -> dict[str, object]:
    found: dict[str, object] = mill.get("/api/v1/cameras/walks").json()["status"]
    return found


def ended(events: EventStore) -> list[str]:
    return [event["kind"] for event in events.events(10).documents if event["ended_at"] is not None]
