"""A video with known motions: every one is exactly one event, nothing else is, and other settings differ as said."""

import numpy as np
import pytest

from cameras.feeds.videos import MOTIONS, yard_video
from imagemill.cameras.feeds import from_address
from imagemill.cameras.feeds.replay import recorded_frames, replay
from imagemill.motion import MotionSettings, with_changes
from imagemill.motion.compare import compare, described, events_of

SETTINGS = MotionSettings()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="module")
def video(folder):
    return yard_video(folder / "yard.avi", np.random.default_rng(11))


@pytest.fixture
def allowed(policy, folder):
    return type(policy)(folders=(folder,))


@pytest.mark.parametrize(("name", "rate"), [("yard.avi", 1.0), ("yard.avi", 2.0), ("other.mp4", 1.0)])
def test_every_motion_is_one_event_and_neither_lamp_nor_shake_nor_noise_is(video, allowed, name, rate):
    path = video if name == video.name else yard_video(video.with_name(name), np.random.default_rng(12))
    spec = from_address(str(path), frames_per_second=rate)
    frames = recorded_frames(spec, allowed, 0.0)
    events = events_of(frames, with_changes(SETTINGS, [f"interval_seconds={1 / rate}"]))
    assert [event.kind for event in events] == ["motion"] * len(MOTIONS)
    for event, (begin, end) in zip(events, MOTIONS, strict=True):
        assert event.started_at == pytest.approx(begin, abs=1.6)
        assert event.last_at == pytest.approx(end, abs=2.1)


def test_the_same_settings_make_no_difference(video, allowed):
    difference = replay(from_address(str(video)), allowed, SETTINGS, SETTINGS)
    assert difference.is_none
    assert described(difference, 0.0) == ["3 kept, 0 gone, 0 new"]


def test_other_settings_say_which_events_would_go_and_come(video, allowed):
    spec = from_address(str(video))
    slower = with_changes(SETTINGS, ["moving_frames=8", "of_frames=9"])
    gone = replay(spec, allowed, SETTINGS, slower)
    assert [round(event.started_at) for event in gone.gone] == [pytest.approx(60, abs=1.6)]
    assert len(gone.kept) == 2
    assert described(gone, 0.0)[0].startswith("- 01:00 motion for")
    come = replay(spec, allowed, slower, SETTINGS)
    assert len(come.come) == 1
    assert described(come, 0.0)[-1] == "2 kept, 0 gone, 1 new"
    classes = replay(spec, allowed, SETTINGS, with_changes(SETTINGS, ['alert_when={"min_seconds": 12}']))
    assert "alert would become detection" in " ".join(described(classes, 0.0))
    assert not classes.is_none


def test_events_are_matched_one_to_one_by_their_overlap(video, allowed):
    events = events_of(recorded_frames(from_address(str(video)), allowed, 0.0), SETTINGS)
    twice = compare(events, [*events, *events])
    assert len(twice.kept) == 3
    assert len(twice.come) == 3
    assert compare([], events).come == tuple(events)
    assert compare(events, []).gone == tuple(events)
