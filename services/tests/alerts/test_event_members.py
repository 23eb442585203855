"""What an event has is shown and described: the detector, the API's view and its schema name the same members."""

from imagemill.api.alerts import views
from imagemill.api.web.openapi.alert_schemas import SCHEMAS
from imagemill.motion import MotionSettings, SourceAnalyzer
from motion.scenes import WALK_FRAMES, watch

INTERNAL = {"last_at", "best_at"}  # needed while the event is open


def test_every_member_of_an_event_is_shown_and_described() -> None:
    (first, *_) = watch(SourceAnalyzer("yard", MotionSettings()), WALK_FRAMES)
    document = first.event.as_dict()
    shown = set(views.event(document, None, "/pictures"))
    assert set(document) - shown == INTERNAL
    assert shown == set(SCHEMAS["CameraEvent"]["properties"])
