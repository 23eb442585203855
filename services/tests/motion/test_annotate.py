"""What is drawn can be read, on the small stream of a camera too."""

import cv2
import numpy as np
import pytest

from imagemill.domain.events import Region
from imagemill.motion.annotate import annotated
from motion.scenes import encode

LETTERS = 9


@pytest.mark.parametrize("height", [180, 360, 720, 1080])
def test_the_score_over_a_region_is_high_enough_to_be_read(height):
    plain = encode(np.full((height, height * 16 // 9, 3), 60, np.uint8))
    drawn = annotated(plain, [Region(x=0.4, y=0.5, width=0.2, height=0.3, area=0.06, score=0.98)])
    above = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_GRAYSCALE)[: round(0.5 * height) - 5]
    assert np.count_nonzero((above > 120).any(axis=1)) >= LETTERS
