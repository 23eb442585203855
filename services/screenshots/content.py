"""What is on the pages: drawn landscapes, files that fail, and somebody who walks by a camera."""

import subprocess
import sys
import time

import requests

from imagemill.cli import demo_drawing
from mill import wait_for
from screenshots.running import images_of

BATCH = "holiday"
_HOURS = (5, 6, 7, 8, 9, 11, 12, 14, 16, 18, 19, 20, 21, 22)
_WAIT_SECONDS = 600
# Work for the chart of the pools: slow on purpose, so that it is scaled.
_SLOW, _WAVES, _PAUSE_SECONDS = 8, 3, 8


def filled(url: str) -> dict[str, str]:
    """Addresses of the pages by the names of their pictures, once everything there has ended."""
    subprocess.run([sys.executable, "-m", "imagemill.cli", "--api", url, "demo"], check=True)
    landscapes = [(f"{hour:02}h-lake.png", demo_drawing.landscape(hour, seed=hour)) for hour in _HOURS]
    _send(url, landscapes, BATCH, "gray", "webp")
    large = [("morning.png", demo_drawing.landscape(8, seed=3, width=1600, height=900))]
    _send(url, large, "panorama", "edges")
    for wave in range(_WAVES):
        names = [(f"night-{wave}-{n}.png", demo_drawing.landscape(22, 100 * wave + n, 1280, 720)) for n in range(_SLOW)]
        _send(url, names, "night", "denoise")
        time.sleep(_PAUSE_SECONDS)
    totals = f"{url}/api/v1/totals"
    wait_for(lambda: not requests.get(totals, timeout=60).json()["in_flight"], "all to end", _WAIT_SECONDS)
    (morning,) = images_of(url, batch="panorama")
    return {
        "picture": f"/pictures/{morning['id']}", "failures": "/failures", "pools": "/pools?range=15m",
        "alert": "/alerts/1",
    }  # fmt: skip


def _send(url: str, files: list[tuple[str, bytes]], batch: str, *recipes: str) -> None:
    parts = [("file", (name, data, "image/png")) for name, data in files]
    form = {"batch": batch, "recipe": list(recipes)}
    requests.post(f"{url}/api/v1/images", files=parts, data=form, timeout=60).raise_for_status()
