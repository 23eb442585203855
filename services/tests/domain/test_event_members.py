"""What an event has is shown and described: the view and its schema follow from the one model."""

from imagemill.api.alerts.views import event_view
from imagemill.api.web.openapi.alert_schemas import SCHEMAS
from imagemill.domain.events import Event, EventFacts
from imagemill.motion import MotionSettings, SourceAnalyzer
from imagemill.store.events import StoredEvent
from motion.scenes import WALK_FRAMES, watch

INTERNAL = {"last_at", "best_at", "reason"}  # needed while the event is open, or not for everybody


def members(model: type[EventFacts]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_every_member_of_an_event_is_shown_and_described() -> None:
    (first, *_) = watch(SourceAnalyzer("yard", MotionSettings()), WALK_FRAMES)
    shown = set(event_view(StoredEvent(first.event, {}), None, "/pictures").as_json())
    assert members(Event) - shown == INTERNAL
    assert shown == set(SCHEMAS["CameraEvent"]["properties"])


def test_the_detector_tells_all_members_but_why_a_camera_is_away() -> None:
    (first, *_) = watch(SourceAnalyzer("yard", MotionSettings()), WALK_FRAMES)
    assert members(Event) - set(first.event.as_json()) == {"reason"}
