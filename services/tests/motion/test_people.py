"""People detection: optional, and it says how slow it is or that it is not there."""

import cv2
import numpy as np
import pytest

from imagemill.motion import AlertWhen, MotionSettings, SourceAnalyzer
from imagemill.motion import people as people_module
from imagemill.motion.people import People, PeopleDetectionMissingError, PeopleDetector, is_available
from motion.scenes import WALK_FRAMES, watch


class FakeHog:
    """Finds one person in the middle and one that it is not sure of."""

    def setSVMDetector(self, detector):  # noqa: N802
        self.detector = detector

    def detectMultiScale(self, picture, **how):  # noqa: N802
        height, width = picture.shape[:2]
        boxes = np.array([[width // 2, height // 4, width // 10, height // 2], [0, 0, 10, 20]])
        return boxes, np.array([[1.2], [0.1]])

    @staticmethod
    def getDefaultPeopleDetector():  # noqa: N802
        return np.zeros(4)


@pytest.fixture
def fake_hog(monkeypatch):
    monkeypatch.setattr(cv2, "HOGDescriptor", FakeHog, raising=False)


def test_it_gives_boxes_as_shares_of_the_picture_and_its_seconds(fake_hog):
    times = iter([10.0, 10.4])
    found = PeopleDetector(clock=lambda: next(times))(np.zeros((720, 1280, 3), np.uint8))
    assert found.boxes == (pytest.approx((0.5, 0.25, 0.1, 0.5), abs=0.01),)
    assert found.seconds == pytest.approx(0.4)
    assert found.sentence == "1 person found in 0.40 s per frame"


def test_an_opencv_without_the_detector_is_said_with_what_to_do(monkeypatch):
    monkeypatch.delattr(cv2, "HOGDescriptor", raising=False)
    with pytest.raises(PeopleDetectionMissingError, match="opencv-contrib-python-headless"):
        PeopleDetector()


def test_a_person_makes_an_alert_and_is_drawn_and_told():
    calls = []

    def find(picture):
        calls.append(picture.shape)
        return People(((0.4, 0.4, 0.1, 0.3),), 0.25)

    when = MotionSettings(people=True, alert_when=AlertWhen(people=True))
    changes = watch(SourceAnalyzer("yard", when, find), WALK_FRAMES)
    assert changes[0].event.event_class == "alert"
    assert changes[0].event.as_dict()["people"]["sentence"] == "1 person found in 0.25 s per frame"
    assert 1 <= len(calls) <= len([step for step in changes if step.change != "end"])


def test_people_are_not_looked_for_unless_the_camera_wants_it():
    def find(picture):
        raise AssertionError("looked for people")

    assert watch(SourceAnalyzer("yard", MotionSettings(), find), WALK_FRAMES[:10])


@pytest.mark.skipif(not is_available(), reason="the OpenCV installed here was built without the people detector")
def test_the_real_detector_says_that_an_empty_picture_has_no_people():
    found = people_module.PeopleDetector()(np.full((360, 640, 3), 90, np.uint8))
    assert found.boxes == ()
    assert found.seconds > 0
