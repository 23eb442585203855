"""Areas as lines of text."""

import pytest

from imagemill.api.cameras.areas import areas_of, text_of
from imagemill.domain.errors import Invalid
from imagemill.domain.motion_settings import MotionSettings

TEXT = "zone front door: 0.1,0.2 0.5,0.2 0.5,0.8\nmask: 0,0 1,0 1,0.1"


def test_lines_are_read_and_written_the_same() -> None:
    areas = areas_of(f"\n{TEXT}\n\n")
    assert areas == {
        "zones": [{"name": "front door", "points": [[0.1, 0.2], [0.5, 0.2], [0.5, 0.8]]}],
        "masks": [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.1]]],
    }
    assert text_of(MotionSettings.parse(areas)) == TEXT
    assert (areas_of(""), text_of(MotionSettings())) == ({}, "")


@pytest.mark.parametrize(
    "line", ["door: 0,0 1,1 0,1", "zone: 0,0 1,1 0,1", "mask a: 0,0 1,1 0,1", "mask", "mask: 0;0 1"]
)
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(Invalid, match=r"the (line|corners of)") as error:
        areas_of(line)
    assert line in str(error.value)
