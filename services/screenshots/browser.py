"""The browser that looks."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

WIDTH, HEIGHT = 1280, 800
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
            "--disable-dev-shm-usage", "--no-first-run")  # fmt: skip


@contextmanager
def opened(scheme: str) -> Iterator[Chrome]:
    """By day or by night: `light` or `dark`."""
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for option in _OPTIONS:
        options.add_argument(option)
    driver = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        screen = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        yield driver
    finally:
        driver.quit()


def seen(driver: Chrome) -> Image.Image:
    """What is in the window now."""
    return Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
