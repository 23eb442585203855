"""Settings of a camera: read, written, changed, refused with a sentence."""

import pytest

from imagemill.motion import AlertWhen, MotionSettings, Zone, with_changes

CORNERS = ((0.1, 0.1), (0.9, 0.1), (0.5, 0.9))
FULL = MotionSettings(
    masks=(CORNERS,),
    zones=(Zone(name="door", points=CORNERS),),
    alert_when=AlertWhen(zones=("door",), min_seconds=3),
    kinds=frozenset({"motion", "frozen"}),
    sensitivity=70,
)


def test_settings_survive_json():
    assert MotionSettings.parse(FULL.as_json()) == FULL
    assert MotionSettings.parse({}) == MotionSettings()


def test_changes_are_given_as_name_and_value():
    changed = with_changes(FULL, ["sensitivity=30", 'kinds=["motion"]', "people=true", "quiet_seconds = 12.5"])
    assert (changed.sensitivity, changed.kinds, changed.people) == (30, frozenset({"motion"}), True)
    assert changed.quiet_seconds == 12.5
    assert with_changes(FULL, ["kinds=scene"]).kinds == frozenset({"scene"})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"zoom": 3}, "no setting 'zoom'; it has "),
        ({"sensitivty": 3}, r"no setting 'sensitivty' \(did you mean sensitivity\?\); it has .*sensitivity"),
        ({"sensitivity": 300}, "sensitivity is 300; it must be from 0 to 100"),
        ({"sensitivity": "high"}, "sensitivity is 'high'; it must be a number"),
        ({"sensitivity": 1.5}, "whole number"),
        ({"people": "yes"}, "people is 'yes'; it must be true or false"),
        ({"moving_frames": 4, "of_frames": 3}, "moving_frames is 4 of 3"),
        ({"masks": [[[0, 0], [1, 1]]]}, "mask has 2 corners"),
        ({"masks": [[[0, 0], [1, 1], [0, 40]]]}, "corner .*40.* from 0 to 1"),
        ({"masks": [5]}, "5 is not a polygon"),
        ({"zones": [{"name": "door"}]}, "must have exactly a name and points"),
        ({"zones": [{"name": " ", "points": CORNERS}]}, "a zone needs a name"),
        ({"zones": [{"name": "a", "points": CORNERS}] * 2}, "two zones have the same name"),
        ({"alert_when": {"zones": ["gate"]}}, "alert_when names the zone 'gate'; the camera's zones are none"),
        ({"alert_when": {"area": 1}}, "alert_when has no setting 'area'"),
        ({"kinds": ["motion", "ghosts"]}, "kinds has 'ghosts'; known kinds are motion, scene, frozen"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        MotionSettings.parse(given)


def test_a_change_without_a_value_is_refused():
    with pytest.raises(ValueError, match="not of the form name=value"):
        with_changes(FULL, ["sensitivity"])
