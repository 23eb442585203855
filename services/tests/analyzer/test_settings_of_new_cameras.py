"""The analyzer knows what is set for a camera from its first frame on."""

from collections.abc import Callable

from imagemill.analyzer.cameras import CameraSettings
from imagemill.domain.cameras import Camera
from imagemill.motion import MotionSettings
from imagemill.store.couch import Couch


def test_a_camera_that_was_added_just_now_has_its_own_settings_at_its_first_frame(
    store: Couch, add: Callable[..., Camera]
) -> None:
    settings = CameraSettings(store)
    settings.refresh()
    added = add("yard", motion={"sensitivity": 70})
    assert settings.of("yard") == MotionSettings()
    assert settings.at_first("yard") == added.motion_settings != MotionSettings()
    assert settings.at_first("posted") == MotionSettings()
