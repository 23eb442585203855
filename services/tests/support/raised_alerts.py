"""Alerts with events and pictures, as the alerter and the analyzer leave them."""

import cv2
import numpy as np

from imagemill.domain.alerts import Alert
from imagemill.domain.events import Event
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import Couch
from imagemill.store.events import EventStore

NAMES = ("best.jpg", "annotated.jpg", "before.jpg", "preview.jpg", *(f"strip-{place:02}.jpg" for place in range(6)))


def raise_alert(
    couch: Couch, camera: str, at: float, zones: tuple[str, ...] = (), event_class: str = "alert",
    with_pictures: bool = False, ended: Event | None = None,
) -> int:  # fmt: skip
    """Raise an alert at a time; `ended` is what the event has become since."""
    event = Event.parse({
        "id": f"{camera}:{round(at * 1000)}", "source": camera, "kind": "motion", "class": event_class,
        "started_at": at, "last_at": at + 4, "ended_at": at + 30, "score": 0.93, "area": 0.02, "zones": list(zones),
    })  # fmt: skip
    if with_pictures:
        store = EventStore(couch)
        store.write(ended or event, {name: _picture(place) for place, name in enumerate(NAMES)})
    alert = Alert(
        camera=camera, kind="motion", event=event.id, at=at, started_at=at, facts=event, rules=("everything",),
        channels=(), reason="everything says so",
    )  # fmt: skip
    return AlertStore(couch).add(alert)


def _picture(place: int) -> bytes:
    """A figure that walks from left to right."""
    drawn = np.full((180, 320, 3), (90 + 10 * (place % 3), 110, 100), np.uint8)
    cv2.rectangle(drawn, (20 + 26 * place, 60), (50 + 26 * place, 150), (220, 220, 230), -1)
    return cv2.imencode(".jpg", drawn)[1].tobytes()
