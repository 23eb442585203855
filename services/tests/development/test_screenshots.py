"""The pictures of README.md: all are there, by day and by night, small, and made by `make screenshots`."""

import re
from pathlib import Path

import pytest
from PIL import Image

from screenshots.scenes import MAX_MOVING_BYTES, MAX_STILL_BYTES, MOVING, STILLS

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text("utf-8")
NAMES = [MOVING, *(shot.name for shot in STILLS)]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_shown_by_day_and_by_night_and_is_small(name: str) -> None:
    for scheme in ("light", "dark"):
        path = ROOT / "docs" / f"page-{name}-{scheme}.webp"
        assert path.stat().st_size <= (MAX_MOVING_BYTES if name == MOVING else MAX_STILL_BYTES)
        with Image.open(path) as image:
            assert (image.n_frames > 1) == (name == MOVING)
    shown = re.search(
        rf'\(prefers-color-scheme: dark\)" srcset="docs/page-{name}-dark.webp"><img src="docs/page-{name}-light.webp"'
        r'[^>]* alt="[^"]{20,}"',
        README,
    )
    assert shown, f"README.md does not show {name}"


def test_every_picture_that_is_named_is_made() -> None:
    assert set(re.findall(r"docs/page-(\w+)-\w+\.\w+", README)) == set(NAMES)
    assert {path.name for path in (ROOT / "docs").glob("page-*")} == {
        f"page-{name}-{scheme}.webp" for name in NAMES for scheme in ("light", "dark")
    }
