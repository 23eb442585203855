"""What the tests of local runs share."""

import io

import pytest
from PIL import Image


@pytest.fixture
def png() -> bytes:
    """A small picture."""
    target = io.BytesIO()
    Image.new("RGB", (32, 24), (200, 30, 30)).save(target, "PNG")
    return target.getvalue()
