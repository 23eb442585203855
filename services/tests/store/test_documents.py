"""Documents that are in databases today are still read, and are written in the same form."""

from typing import Any

from imagemill.domain.cameras import Camera
from imagemill.domain.rules import Rule
from imagemill.store import cameras, rules

RULE = {
    "_id": "rule:night", "_rev": "2-6fa0b63c2e1d4b7a9c1f", "type": "rule", "name": "night", "cameras": ["yard-*"],
    "zones": ["door"], "kinds": ["motion", "offline"], "classes": ["alert"], "min_score": 0.4,
    "hours": ["22:00-06:00"], "weekdays": ["monday", "sunday"], "timezone": "Europe/Berlin", "cool_down_seconds": 600,
    "at_most": 5, "period_seconds": 5400.0, "until_acknowledged": True, "channels": ["desk"], "enabled": True,
}  # fmt: skip
CAMERA = {
    "_id": "yard", "_rev": "3-1f", "id": "yard", "name": "The yard", "address": "rtsp://cam-1.example/stream",
    "credentials": "cam-1", "frames_per_second": 5.0, "enabled": True, "loop": True, "paced": True,
    "motion": {
        "sensitivity": 60, "quiet_seconds": 20, "kinds": ["motion"],
        "alert_when": {"zones": ["door"], "min_seconds": 3},
        "zones": [{"name": "door", "points": [[0.1, 0.2], [0.5, 0.2], [0.5, 0.8]]}],
        "masks": [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.1]]],
    },
}  # fmt: skip


class Database:
    """One that holds a document and keeps what is written."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def database(self, _name: str) -> "Database":
        return self

    def get(self, _doc_id: str) -> dict[str, Any]:
        return self.document

    def put(self, document: dict[str, Any]) -> str:
        self.document = document
        return "9-9"


def test_a_rule_is_read_and_written_as_it_was() -> None:
    database = Database(RULE)
    store = rules.RuleStore(database)  # type: ignore[arg-type]
    rule = store.get("night")
    assert rule is not None
    assert (rule.hours[0].wraps, rule.at_most, rule.revision) == (True, 5, RULE["_rev"])
    assert store.put(rule).revision == "9-9"
    assert database.document == RULE


def test_a_rule_with_a_member_of_another_version_does_not_count() -> None:
    assert rules.RuleStore(Database(RULE | {"colour": "red"})).get("night") is None  # type: ignore[arg-type]


def test_a_camera_is_read_and_written_as_it_was() -> None:
    database = Database(CAMERA | {"colour": "red"})
    store = cameras.Cameras(database)  # type: ignore[arg-type]
    camera = store.get("yard")
    assert camera is not None
    assert (camera.motion.zones[0].name, camera.motion_settings.interval_seconds) == ("door", 0.2)
    assert store.put(camera).revision == "9-9"
    assert database.document == CAMERA


def test_what_was_not_set_keeps_the_usual_value() -> None:
    camera = Camera.parse({"name": "Back yard"})
    assert (camera.id, camera.as_json()["motion"], camera.motion_settings.sensitivity) == ("back-yard", {}, 50)
    assert Rule.parse({"name": "all"}) == Rule(name="all", revision="another")
