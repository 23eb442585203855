"""Each picture: where it is taken, what is waited for, and how it is kept small."""

import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from selenium.webdriver import Chrome

from imagemill.cli import demo_drawing
from mill import wait_for
from screenshots.browser import WIDTH, seen
from uploading import drag, ended

MAX_STILL_BYTES, MAX_MOVING_BYTES = 150_000, 600_000
MOVING = "upload"
_FILES, _FRAMES, _FRAME_SECONDS, _FILM_WIDTH = 90, 48, 0.2, 960
_LAST_SECONDS = 2.0


@dataclass(frozen=True)
class Still:
    """`there`: what is on the page once all is, `act`: a script that shows what the picture is about."""

    name: str
    there: str
    act: str = ""


STILLS = (
    Still("picture", ".compare.on"),
    Still("failures", "#failed-rows tr", "document.querySelector('#failed-rows input').click()"),
    Still("pools", "#pools svg"),
    Still("alert", ".best.on img"),
)


def still(driver: Chrome, address: str, shot: Still, scheme: str, folder: Path) -> None:
    """Write `page-NAME-SCHEME.webp`."""
    driver.get(address)
    wait_for(lambda: driver.execute_script(f"return document.querySelector({shot.there!r})"), shot.name)
    loaded = "return [...document.images].filter((one) => one.loading !== 'lazy').every((one) => one.complete)"
    wait_for(lambda: driver.execute_script(loaded), "the images")
    if shot.act:
        driver.execute_script(shot.act)
    time.sleep(1)  # lazy images, and what the stream tells first
    image = seen(driver)
    path = folder / f"page-{shot.name}-{scheme}.webp"
    for quality in (88, 80, 70, 60):
        image.save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size <= MAX_STILL_BYTES:
            return
    raise AssertionError(f"{path.name} has {path.stat().st_size:,} bytes")


def film(driver: Chrome, url: str, scheme: str, scratch: Path, folder: Path) -> None:
    """Drop pictures into the window and write what is seen until all are stored: `page-upload-SCHEME.webp`."""
    files = scratch / scheme / "trip"
    files.mkdir(parents=True)
    for number in range(_FILES):
        # Other pixels by day and by night: what is known would not be sent.
        seed = number + (6000 if scheme == "dark" else 5000)
        (files / f"IMG_{number:04}.png").write_bytes(demo_drawing.landscape(5 + number % 17, seed, 1280, 720))
    driver.get(url)
    wait_for(lambda: driver.execute_script("return document.querySelector('.pulse')?.dataset.pulse === 'live'"), "life")
    driver.execute_script("document.querySelector('[name=recipe][value=webp]').click()")
    frames = [seen(driver)]
    paths = sorted(files.iterdir())
    for kind in ("dragEnter", "dragOver"):
        drag(driver, kind, paths)
    frames.append(seen(driver))
    drag(driver, "drop", paths)
    began = time.monotonic()
    while len(frames) < _FRAMES and not ended(driver):
        frames.append(seen(driver))
        time.sleep(max(0.0, began + _FRAME_SECONDS * (len(frames) - 1) - time.monotonic()))
    wait_for(lambda: ended(driver), "all to end")
    time.sleep(1)
    _write([*frames, seen(driver)], folder / f"page-upload-{scheme}.webp")


def _write(frames: list[Image.Image], path: Path) -> None:
    height = round(frames[0].height * _FILM_WIDTH / WIDTH)
    small = [frame.resize((_FILM_WIDTH, height), Image.Resampling.LANCZOS) for frame in frames]
    usual = round(1000 * _FRAME_SECONDS)
    times = [1200, 800, *[usual] * (len(small) - 3), round(1000 * _LAST_SECONDS)]
    for quality in (75, 60, 45, 30):
        small[0].save(
            path, "WEBP", save_all=True, append_images=small[1:], duration=times, loop=0, quality=quality, method=4,
            minimize_size=True,
        )  # fmt: skip
        if path.stat().st_size <= MAX_MOVING_BYTES:
            return
    raise AssertionError(f"{path.name} has {path.stat().st_size:,} bytes")
