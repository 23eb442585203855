"""People are found by OpenCV's own detector, in what moves, and how long that took is said."""

import re
from itertools import pairwise

import cv2
import numpy as np
import pytest

from imagemill.domain.events import People, Region
from imagemill.motion import AlertWhen, MotionSettings, SourceAnalyzer
from imagemill.motion.people import PeopleDetector, among
from motion.scenes import HEIGHT, WIDTH, as_picture, figure, frames, place, walk, watch
from motion.standing import person, person_box

WANTED = MotionSettings(people=True, alert_when=AlertWhen(people=True), quiet_seconds=10)


@pytest.fixture(scope="module")
def find():
    return PeopleDetector()


def seen(scene):
    return as_picture(scene, np.random.default_rng(3))


def share_in_common(one, other):
    """Intersection over union of two boxes."""
    across, down = (min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    common = max(0.0, across) * max(0.0, down)
    return common / (one[2] * one[3] + other[2] * other[3] - common)


@pytest.mark.parametrize("shade", [30.0, 190.0])
@pytest.mark.parametrize("height", [110, 140, 180, 240])
def test_a_person_is_found_where_one_stands(find, height, shade):
    found = find(seen(person(place(), 300, 345, height, shade)))
    (box,) = found.boxes
    assert share_in_common(box, person_box((HEIGHT, WIDTH), 300, 345, height)) > 0.5


def test_people_are_found_side_by_side_and_in_large_pictures(find):
    scene = person(person(place(), 180, 340, 150, 190.0), 420, 345, 170, 30.0)
    found = find(cv2.resize(seen(scene), (1920, 1080), interpolation=cv2.INTER_CUBIC))
    left, right = sorted(found.boxes)
    assert share_in_common(left, person_box((HEIGHT, WIDTH), 180, 340, 150)) > 0.5
    assert share_in_common(right, person_box((HEIGHT, WIDTH), 420, 345, 170)) > 0.5


def test_a_person_at_the_picture_s_edge_has_a_box_within_it(find):
    (box,) = find(seen(person(place(), 12, 358, 150))).boxes
    assert min(box) >= 0
    assert box[0] + box[2] <= 1
    assert box[1] + box[3] <= 1


@pytest.mark.parametrize("seed", range(2, 6))
def test_nobody_is_found_where_nobody_is(find, seed):
    assert find(seen(figure(place(seed), 200, 200))).boxes == ()


@pytest.mark.parametrize("shape", [(20, 30), (1, 1), (2000, 1), (480, 25), (100, 9000), (150, 200_000)])
def test_pictures_too_small_or_too_narrow_for_anybody_have_nobody(find, shape):
    assert find(np.full((*shape, 3), 90, np.uint8)).boxes == ()


def test_the_seconds_that_it_took_are_said():
    times = iter([10.0, 10.4])
    found = PeopleDetector(clock=lambda: next(times))(seen(person(place(), 300, 345, 180)))
    assert found.seconds == pytest.approx(0.4)
    assert found.sentence == "1 person found in 0.40 s per frame"


def test_only_those_count_who_are_where_something_moves():
    standing, walking = (0.1, 0.1, 0.1, 0.3), (0.6, 0.4, 0.1, 0.3)
    moves = Region(x=0.65, y=0.6, width=0.1, height=0.2, area=0.01, score=0.9)
    both = People.found((standing, walking), 0.2)
    assert among(both, [moves]) == People.found((walking,), 0.2)
    assert among(both, []).boxes == ()


def walker(second, height=150, speed=20):
    """Comes in from the left at 4 s and is gone at 24 s."""
    if 4 <= second < 24:
        return person(place(), speed * (second - 4), 345, height, 40, 0.05 * (second % 2))
    return place()


def test_a_person_who_walks_by_is_an_alert_and_a_thing_that_does_is_none(find):
    changes = watch(SourceAnalyzer("yard", WANTED, find), frames(walker, 40))
    end = changes[-1]
    assert (end.change, end.event.event_class) == ("end", "alert")
    assert re.fullmatch(r"1 person found in \d+\.\d\d s per frame", end.event.people.sentence)
    thing = watch(SourceAnalyzer("yard", WANTED, find), frames(walk(place(), 4, 24, height=50, width=90), 40))
    assert {(step.event.event_class, step.event.people.boxes) for step in thing} == {("detection", ())}


def test_the_picture_that_is_shown_has_the_person_in_it(find):
    for step in watch(SourceAnalyzer("yard", WANTED, find), frames(walker, 40)):
        middle = 20 * (step.event.best_at - frames(walker, 1)[0].at - 4)
        box = person_box((HEIGHT, WIDTH), middle, 345, 150)
        assert [share_in_common(box, one) > 0.4 for one in step.event.people.boxes] in ([], [True])


def test_who_stands_there_all_the_time_does_not_make_an_alert_of_what_passes(find):
    def scene(second):
        still = person(place(), 540, 300, 140)
        return figure(still, 20 * (second - 4), 250, 90, 50) if 4 <= second < 20 else still

    assert find(seen(scene(0))).boxes
    changes = watch(SourceAnalyzer("yard", WANTED, find), frames(scene, 40))
    assert {step.event.event_class for step in changes} == {"detection"}


def test_somebody_who_is_not_found_at_once_is_found_later_and_that_is_told(find):
    looks = []

    def late(picture):
        looks.append(picture)
        return find(picture) if len(looks) > 2 else People.found((), 0.2)

    changes = watch(SourceAnalyzer("yard", WANTED, late), frames(walker, 40))
    classes = [step.event.event_class for step in changes]
    assert classes[0] == "detection"
    found = next(step for step in changes if step.event.event_class == "alert")
    assert found.change == "update"
    assert {"best.jpg", "annotated.jpg"} <= set(found.pictures)
    assert found.event.people.boxes


def test_it_looks_no_more_often_than_every_five_seconds(find):
    looked_at = []

    class Clocked(SourceAnalyzer):
        def see(self, frame):
            self.now = frame.at
            return super().see(frame)

    analyzer = Clocked("yard", WANTED, lambda picture: looked_at.append(analyzer.now) or People.found((), 0.2))
    watch(analyzer, frames(walker, 40))
    assert len(looked_at) >= 3
    assert all(later - sooner >= 5 for sooner, later in pairwise(looked_at))


def test_an_open_event_keeps_who_was_found_over_a_restart(find):
    analyzer = SourceAnalyzer("yard", WANTED, find)
    watch(analyzer, frames(walker, 16))
    restored = SourceAnalyzer.restore("yard", WANTED, analyzer.saved_state(), find)
    assert restored.machine.opened == analyzer.machine.opened
    assert restored.machine.opened.shows_people


def test_people_are_not_looked_for_unless_the_camera_wants_it():
    def observation(picture):
        raise AssertionError("looked for people")

    assert watch(SourceAnalyzer("yard", MotionSettings(), observation), frames(walker, 10))
