"""The analyzer of one source: order, restarts, silence, pictures, bounds."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagemill.motion import AlertWhen, Frame, MotionSettings, SavedState, SourceAnalyzer, Zone
from imagemill.motion.keeper import Strip
from motion.scenes import GROUND_FRAMES, START, WALK_FRAMES, encode, summary, watch

ONE_MOTION = [("new", "motion"), ("end", "motion")]


def analyzer(**changes):
    return SourceAnalyzer("yard", MotionSettings(**changes))


def through_json(saved):
    return SavedState(json.loads(json.dumps(saved.state)), dict(saved.files))


def restarted(seen):
    return SourceAnalyzer.restore(seen.source, seen.settings, through_json(seen.saved_state()))


def told(changes):
    return [(step.change, step.event.as_json()) for step in changes]


def test_a_restart_at_any_frame_changes_nothing_that_is_told():
    expected = told(watch(analyzer(), WALK_FRAMES))
    assert [change for change, _ in expected if change != "update"] == ["new", "end"]
    for stop in range(1, len(WALK_FRAMES), 5):
        first = analyzer()
        changes = watch(first, WALK_FRAMES[:stop])
        changes += watch(restarted(first), WALK_FRAMES[stop:])
        assert [(c, e["id"], e["started_at"], e["end_reason"]) for c, e in told(changes) if c != "update"] == [
            (c, e["id"], e["started_at"], e["end_reason"]) for c, e in expected if c != "update"
        ], stop


def test_frames_that_are_seen_again_after_a_restart_tell_the_same_event():
    first = analyzer()
    watch(first, WALK_FRAMES[:4])
    saved = first.saved_state()
    before = watch(first, WALK_FRAMES[4:12])
    again = SourceAnalyzer.restore("yard", first.settings, through_json(saved))
    after = watch(again, WALK_FRAMES[4:])
    assert before[0].event.id == after[0].event.id
    assert summary(after) == ONE_MOTION


def test_a_restart_without_pictures_ends_the_same_event():
    first = analyzer()
    changes = watch(first, WALK_FRAMES[:12])
    small = first.saved_state(pictures=False)
    assert small.size_bytes < 130_000
    changes += watch(SourceAnalyzer.restore("yard", first.settings, through_json(small)), WALK_FRAMES[12:])
    assert summary(changes) == ONE_MOTION


def test_a_saved_state_of_another_version_or_height_begins_anew():
    first = analyzer()
    watch(first, WALK_FRAMES[:3])
    saved = first.saved_state()
    other = SourceAnalyzer.restore("yard", first.settings, SavedState(saved.state | {"version": 0}, saved.files))
    assert other.detector.background is None
    higher = SourceAnalyzer.restore("yard", MotionSettings(height=240), saved)
    assert higher.detector.background is None
    assert summary(watch(higher, WALK_FRAMES[3:])) == ONE_MOTION


def test_late_and_repeated_frames_are_dropped_and_counted():
    seen = analyzer()
    order = [0, 1, 2, 2, 1, 3, 4, 3, 6, 5, 7]
    watch(seen, [GROUND_FRAMES[i] for i in order])
    assert seen.counts() == {"frames": 7, "late": 4, "missed": 1, "unreadable": 0}


def test_a_reader_that_lost_the_camera_is_not_listened_to():
    seen = analyzer()
    old = GROUND_FRAMES[:6]
    new = [Frame(frame.at + 0.3, frame.data, number, 1) for number, frame in enumerate(GROUND_FRAMES[3:6])]
    watch(seen, [*old[:4], new[0], old[4], new[1], old[5], new[2]])
    assert seen.counts() == {"frames": 7, "late": 2, "missed": 0, "unreadable": 0}


def test_posted_pictures_are_ordered_by_time():
    seen = analyzer()
    watch(seen, [Frame(GROUND_FRAMES[i].at, GROUND_FRAMES[i].data) for i in (0, 2, 1, 2, 3)])
    assert seen.counts()["frames"] == 3
    assert seen.counts()["late"] == 2


def test_a_clock_that_is_set_back_neither_ends_nor_doubles_an_event():
    back = [
        Frame(frame.at - (3600 if index >= 12 else 0), frame.data, index) for index, frame in enumerate(WALK_FRAMES)
    ]
    changes = watch(analyzer(), back)
    assert summary(changes) == ONE_MOTION


def test_a_feed_that_falls_silent_ends_its_event_once():
    seen = analyzer()
    changes = watch(seen, WALK_FRAMES[:12])
    last = WALK_FRAMES[11].at
    assert seen.tick(last + 20) == []
    ended = seen.tick(last + 41)
    assert [step.event.end_reason for step in ended] == ["silence"]
    assert ended[0].event.ended_at == last
    assert seen.tick(last + 60) == []
    assert summary(changes + ended) == ONE_MOTION


def test_after_a_long_gap_the_event_has_ended_and_the_light_may_differ():
    seen = analyzer()
    changes = watch(seen, WALK_FRAMES[:12])
    darker = [
        Frame(
            START + 900 + i, encode((cv2.imdecode(np.frombuffer(f.data, np.uint8), 1) * 0.5).astype(np.uint8)), 900 + i
        )
        for i, f in enumerate(GROUND_FRAMES[:5])
    ]
    changes += watch(seen, darker)
    assert summary(changes) == ONE_MOTION
    assert changes[-1].event.end_reason == "gap"


def test_a_few_frames_missing_do_not_split_an_event():
    holes = [frame for index, frame in enumerate(WALK_FRAMES) if index not in range(8, 14)]
    assert summary(watch(analyzer(), holes)) == ONE_MOTION


@pytest.mark.parametrize("data", [b"", b"not a picture", GROUND_FRAMES[0].data[:400], b"GIF89a" + bytes(40)])
def test_unreadable_frames_are_counted_and_change_nothing(data):
    seen = analyzer()
    frames = list(WALK_FRAMES)
    frames[7] = Frame(frames[7].at, data, frames[7].sequence)
    assert summary(watch(seen, frames)) == ONE_MOTION
    assert seen.counts()["unreadable"] == 1


def test_a_picture_of_a_million_pixels_on_each_side_is_refused_by_its_header():
    png = cv2.imencode(".png", np.zeros((2, 2), np.uint8))[1].tobytes()
    huge = png[:16] + (1_000_000).to_bytes(4, "big") * 2 + png[24:]
    seen = analyzer()
    watch(seen, [Frame(START, huge, 0)])
    assert seen.counts()["unreadable"] == 1


def test_another_size_of_picture_is_learned_without_an_event():
    small = cv2.resize(cv2.imdecode(np.frombuffer(GROUND_FRAMES[0].data, np.uint8), 1), (300, 360))
    frames = GROUND_FRAMES[:5] + [Frame(START + 5 + i, encode(small), 5 + i) for i in range(5)]
    assert watch(analyzer(), frames) == []


def test_other_settings_apply_at_once_and_keep_the_background():
    seen = analyzer()
    changes = watch(seen, WALK_FRAMES[:8])
    seen.reconfigure(MotionSettings(quiet_seconds=5))
    changes += watch(seen, WALK_FRAMES[8:])
    assert summary(changes) == ONE_MOTION
    assert seen.ordering.at - changes[-1].event.last_at > 5


def test_an_event_of_a_kind_that_is_not_wanted_any_more_ends():
    seen = analyzer()
    watch(seen, WALK_FRAMES[:8])
    ended = seen.reconfigure(MotionSettings(kinds=frozenset({"frozen"})))
    assert [step.event.end_reason for step in ended] == ["settings"]
    assert watch(seen, WALK_FRAMES[8:]) == []


def test_cool_down_holds_the_next_event_back():
    again = [Frame(f.at + len(WALK_FRAMES), f.data, f.sequence + len(WALK_FRAMES)) for f in WALK_FRAMES]
    assert len(summary(watch(analyzer(), WALK_FRAMES + again))) == 4
    assert len(summary(watch(analyzer(cool_down_seconds=120), WALK_FRAMES + again))) == 2


def test_an_event_has_its_best_frame_clean_and_annotated_the_frame_before_and_a_strip():
    changes = watch(analyzer(strip_frames=6), WALK_FRAMES)
    new, end = changes[0], changes[-1]
    assert set(new.pictures) == {"best.jpg", "annotated.jpg", "before.jpg", "preview.jpg"}
    assert len(new.pictures["preview.jpg"]) < 20_000
    assert cv2.imdecode(np.frombuffer(new.pictures["preview.jpg"], np.uint8), 1).shape[0] == 144
    assert new.pictures["before.jpg"] == WALK_FRAMES[3].data
    best = round(end.event.best_at - START)
    assert end.pictures["best.jpg"] == WALK_FRAMES[best].data
    assert end.pictures["annotated.jpg"] != end.pictures["best.jpg"]
    strip = [name for name in end.pictures if name.startswith("strip-")]
    assert 3 <= len(strip) <= 6
    assert all(cv2.imdecode(np.frombuffer(end.pictures[name], np.uint8), 1).shape[0] == 144 for name in strip)


def test_updates_come_when_the_picture_gets_better_and_not_more_often_than_every_five_seconds():
    updates = [step for step in watch(analyzer(), WALK_FRAMES) if step.change == "update"]
    assert 1 <= len(updates) <= 4


def test_a_zone_that_is_entered_makes_an_alert_of_a_detection():
    zone = Zone(name="door", points=((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
    changes = watch(analyzer(zones=(zone,), alert_when=AlertWhen(zones=("door",))), WALK_FRAMES)
    classes = [(step.change, step.event.event_class) for step in changes]
    assert classes[0] == ("new", "detection")
    assert ("update", "alert") in classes
    assert classes[-1] == ("end", "alert")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (AlertWhen(), "alert"),
        (AlertWhen(min_seconds=500), "detection"),
        (AlertWhen(min_area=0.4), "detection"),
        (AlertWhen(people=True), "detection"),
    ],
)
def test_alert_settings_decide_the_class(when, expected):
    assert watch(analyzer(alert_when=when), WALK_FRAMES)[-1].event.event_class == expected


@given(most=st.integers(2, 12), count=st.integers(0, 400))
@settings(max_examples=60)
def test_a_strip_is_bounded_and_spread_over_everything_seen(most, count):
    strip = Strip(most)
    for at in range(count):
        strip.add(float(at), b"")
    times = [at for at, _ in strip.pictures]
    assert len(times) <= most
    assert times == sorted(times)
    if count:
        assert times[0] == 0.0
        assert count - times[-1] <= 2 * max(1, count // most + 1) + 1


def test_memory_does_not_grow_with_the_length_of_an_event():
    seen = analyzer(longest_seconds=86400, strip_frames=8)
    sizes = []
    for turn in range(6):
        watch(seen, [Frame(f.at + 20 * turn, f.data, f.sequence + 20 * turn) for f in WALK_FRAMES[4:24]])
        sizes.append(seen.saved_state().size_bytes)
    assert seen.machine.opened is not None
    assert max(sizes[2:]) <= 1.3 * sizes[1]


def test_an_endless_motion_is_ended_at_the_longest_time():
    seen = analyzer(longest_seconds=10)
    changes = watch(seen, WALK_FRAMES)
    assert changes[0].change == "new"
    assert "longest" in [step.event.end_reason for step in changes if step.change == "end"]
    assert [step.change for step in changes if step.change != "update"] == ["new", "end"] * 2
