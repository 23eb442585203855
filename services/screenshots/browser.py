"""The browser that looks."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image
from selenium.webdriver import Chrome

from browsing import headless, look_as

WIDTH, HEIGHT = 1280, 800


@contextmanager
def opened(scheme: str) -> Iterator[Chrome]:
    """By day or by night: `light` or `dark`."""
    with headless() as driver:
        look_as(driver, WIDTH, HEIGHT, scheme)
        yield driver


def seen(driver: Chrome) -> Image.Image:
    """What is in the window now."""
    return Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
