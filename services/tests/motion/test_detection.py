"""Scenes with known motions: every motion is exactly one event, and what is no motion is none."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagemill.motion import MotionSettings, SourceAnalyzer, Zone
from motion.scenes import (
    HEIGHT,
    START,
    figure,
    frames,
    lamp,
    place,
    shaken,
    summary,
    walk,
    watch,
)

GROUND = place()
WALL = place(flat=True)
NIGHT = place(contrast=0.2, level=30)
ONE_MOTION = [("new", "motion"), ("end", "motion")]
RNG = np.random.default_rng(3)
JOLTS = [tuple(RNG.uniform(-8, 8, 2)) for _ in range(100)]


def analyzer(**changes):
    return SourceAnalyzer("yard", MotionSettings(**changes))


def after(second, then, before=GROUND):
    return lambda now: then if now >= second else before


@pytest.mark.parametrize(
    ("scene", "count"),
    [
        pytest.param(walk(GROUND, 5, 25), 60, id="a figure walks through"),
        pytest.param(walk(GROUND, 5, 45, speed=6), 80, id="slowly"),
        pytest.param(walk(GROUND, 5, 9, speed=180), 45, id="so fast that four frames show it"),
        pytest.param(walk(GROUND, 5, 25, width=14, height=30), 60, id="far away"),
        pytest.param(walk(WALL, 5, 25), 60, id="in front of an empty wall"),
        pytest.param(walk(NIGHT, 5, 25, shade=75), 60, id="by night"),
        pytest.param(walk(GROUND, 5, 20, speed=45, y=20, width=200, height=330), 55, id="so near that it fills half"),
    ],
)
def test_a_motion_is_exactly_one_event(scene, count):
    changes = watch(analyzer(), frames(scene, count))
    assert summary(changes) == ONE_MOTION
    assert changes[0].event.started_at == pytest.approx(START + 5, abs=1.01)


@pytest.mark.parametrize(
    "seconds", [pytest.param(1.0, id="one a second"), pytest.param(0.02, id="posted as fast as possible")]
)
@pytest.mark.parametrize("begin", [pytest.param(0, id="in the first picture too"), pytest.param(8, id="coming in")])
def test_a_drawn_box_on_a_plain_ground_is_a_motion(seconds, begin):
    """Nothing else is to be seen, so its way looks like a shaken camera's shift; no noise tells otherwise."""
    drawn = frames(walk(WALL, begin, 40, speed=40, y=120, width=80, stripes=0.0), 40, noise=0)
    posted = [replace(frame, at=START + index * seconds, sequence=None) for index, frame in enumerate(drawn)]
    changes = watch(analyzer(), posted)
    assert summary(changes)[:1] == [("new", "motion")]


@settings(max_examples=10, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    seed=st.integers(1, 10_000),
    speed=st.floats(8, 60),
    height=st.integers(30, 160),
    y=st.integers(0, HEIGHT - 170),
    gain=st.sampled_from((-70, 70)),
)
def test_a_motion_is_exactly_one_event_wherever_it_happens(seed, speed, height, y, gain):
    ground = place(seed)
    shade = float(np.clip(ground[y : y + height].mean() + gain, 10, 245))
    scene = walk(ground, 4, 14, speed=speed, y=y, width=height // 2, height=height, shade=shade, seed=seed)
    assert summary(watch(analyzer(), frames(scene, 48, seed=seed))) == ONE_MOTION


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(lambda now: GROUND, id="a sensor's noise"),
        pytest.param(lambda now: NIGHT, id="noise by night"),
        pytest.param(lambda now: WALL, id="noise on an empty wall"),
        pytest.param(after(8, lamp(GROUND)), id="a lamp switched on"),
        pytest.param(after(8, lamp(GROUND, radius=300, gain=1.2)), id="a lamp that lights most of the place"),
        pytest.param(after(8, lamp(WALL), WALL), id="a lamp on an empty wall"),
        pytest.param(lambda now: lamp(GROUND) if 8 <= now < 20 else GROUND, id="a lamp switched on and off"),
        pytest.param(lambda now: lamp(GROUND, gain=min(0.9, max(0, now - 8) * 0.2)), id="a lamp that warms up"),
        pytest.param(lambda now: lamp(WALL, gain=0.9 * (now % 2)) if 8 <= now < 14 else WALL, id="a flickering lamp"),
        pytest.param(after(8, GROUND * 1.7), id="all lights switched on"),
        pytest.param(after(8, GROUND * 0.4), id="all lights switched off"),
        pytest.param(lambda now: GROUND * (1 + now / 60), id="daybreak"),
        pytest.param(lambda now: shaken(GROUND, *JOLTS[now]) if 8 <= now < 25 else GROUND, id="a shaken camera"),
        pytest.param(after(8, shaken(GROUND, 9, -5)), id="a camera that was knocked"),
        pytest.param(lambda now: place(9) if now == 8 else GROUND, id="one broken frame"),
        pytest.param(lambda now: figure(GROUND, 300, 200) if now == 8 else GROUND, id="something in one frame only"),
        pytest.param(after(8, figure(GROUND, 300, 200)), id="something that appears and stays"),
    ],
)
def test_no_event(scene):
    assert watch(analyzer(), frames(scene, 32)) == []


@pytest.mark.parametrize("ground", [GROUND, WALL, NIGHT])
def test_no_event_with_a_bad_sensor_and_a_lamp(ground):
    assert watch(analyzer(), frames(after(8, lamp(ground), ground), 24, noise=9.0)) == []


def test_motion_is_seen_while_the_camera_shakes():
    inside = walk(GROUND, 10, 22)
    scene = lambda now: shaken(inside(now), *JOLTS[now]) if 5 <= now < 30 else GROUND  # noqa: E731
    assert summary(watch(analyzer(), frames(scene, 60))) == ONE_MOTION


def test_motion_is_seen_in_the_light_of_a_lamp_that_was_just_lit():
    scene = walk(lamp(GROUND), 9, 25)
    changes = watch(analyzer(), frames(lambda now: GROUND if now < 8 else scene(now), 60))
    assert summary(changes) == ONE_MOTION


def test_someone_who_rests_less_than_the_quiet_time_is_one_event_and_longer_is_two():
    def stops(seconds):
        return lambda now: figure(GROUND, 30 * min(now - 5, 8) + 30 * max(0, now - 13 - seconds), 200)

    for seconds, events in ((20, 1), (40, 2)):
        scene = stops(seconds)
        changes = watch(analyzer(), frames(lambda now: GROUND if now < 5 else scene(now), seconds + 65))  # noqa: B023
        assert len(summary(changes)) == 2 * events


@pytest.mark.parametrize(
    "other", [pytest.param(place(9), id="turned away"), pytest.param(place(flat=True, level=12), id="covered")]
)
def test_a_scene_change_is_one_event_of_its_own_kind(other):
    changes = watch(analyzer(), frames(after(8, other), 40))
    assert summary(changes) == [("new", "scene"), ("end", "scene")]
    assert changes[0].event.started_at == START + 8
    assert changes[0].event.event_class == "alert"


def test_a_scene_change_ends_a_motion_and_motion_in_the_new_scene_is_noticed():
    new = walk(place(9), 25, 40)
    old = walk(GROUND, 5, 20)
    changes = watch(analyzer(), frames(lambda now: old(now) if now < 12 else new(now), 80))
    assert summary(changes) == [*ONE_MOTION, ("new", "scene"), ("end", "scene"), *ONE_MOTION]


def test_a_frozen_picture_is_one_event_until_it_moves_again():
    live = frames(lambda now: GROUND, 20)
    stuck = [type(live[0])(START + 20 + i, live[-1].data, 20 + i) for i in range(80)]
    again = frames(lambda now: GROUND, 5, first=100)
    changes = watch(analyzer(), [*live, *stuck, *again])
    assert summary(changes) == [("new", "frozen"), ("end", "frozen")]
    assert changes[0].event.started_at == START + 19 + 60
    assert changes[-1].event.end_reason == "moving"


def test_kinds_that_are_not_wanted_are_not_told():
    changes = watch(analyzer(kinds=frozenset({"motion"})), frames(after(8, place(9)), 30))
    assert changes == []


LEFT, RIGHT = ((0, 0), (0.5, 0), (0.5, 1), (0, 1)), ((0.5, 0), (1, 0), (1, 1), (0.5, 1))


def test_motion_under_a_mask_is_not_seen():
    only_left = walk(GROUND, 5, 12, speed=30)
    assert watch(analyzer(masks=(LEFT,)), frames(only_left, 50)) == []


def test_zones_are_named_and_can_be_all_that_counts():
    zones = (Zone(name="door", points=RIGHT),)
    through, left_only = walk(GROUND, 5, 25), walk(GROUND, 5, 12)
    changes = watch(analyzer(zones=zones), frames(through, 60))
    assert changes[0].event.zones == ()
    assert changes[-1].event.zones == ("door",)
    assert watch(analyzer(zones=zones, only_zones=True), frames(left_only, 50)) == []


def test_sensitivity_decides_about_faint_things():
    faint = walk(WALL, 5, 20, shade=102.0, stripes=0.0)
    found = [bool(watch(analyzer(sensitivity=level), frames(faint, 25))) for level in (0, 50, 100)]
    assert found == [False, False, True]


def test_min_area_decides_about_small_things():
    small = walk(GROUND, 5, 20, width=12, height=26, shade=20)
    found = [bool(watch(analyzer(min_area=area), frames(small, 25))) for area in (0.0004, 0.01)]
    assert found == [True, False]


def test_n_of_m_decides_how_long_it_must_be_seen():
    short = walk(GROUND, 5, 8)
    assert summary(watch(analyzer(moving_frames=2, of_frames=3), frames(short, 45))) == ONE_MOTION
    assert watch(analyzer(moving_frames=4, of_frames=5), frames(short, 45)) == []


def test_regions_say_where_and_how_sure():
    changes = watch(analyzer(), frames(walk(GROUND, 5, 25, y=220), 12))
    region = changes[0].event.regions[0]
    assert region.y == pytest.approx(220 / HEIGHT, abs=0.04)
    assert region.height == pytest.approx(80 / HEIGHT, abs=0.06)
    assert 0.8 < region.score <= 1.0


def test_frames_of_a_higher_rate_make_the_same_event():
    walked = walk(GROUND, 25, 125, speed=6)
    five_a_second = [
        type(frame)(START + index / 5, frame.data, index) for index, frame in enumerate(frames(walked, 300))
    ]
    changes = watch(analyzer(interval_seconds=0.2), five_a_second)
    assert summary(changes) == ONE_MOTION
