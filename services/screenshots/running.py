"""All of Imagemill on this machine, as `make run` starts it, with a home and a port of its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from imagemill.local.ports import free_ports
from imagemill.local.process import start_child, stop_child
from mill import wait_for

_START_SECONDS, _STOP_SECONDS = 180, 60


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The address of its page, once all programs are ready."""
    (port,) = free_ports(1)
    home, url = folder / "home", f"http://127.0.0.1:{port}"
    environment = {**os.environ, "IMAGEMILL_HOME": str(home), "IMAGEMILL_PORT": str(port)}
    with (folder / "run.log").open("wb") as log:
        process = start_child([sys.executable, "-m", "imagemill.local"], environment=environment, output=log)
    try:
        wait_for(lambda: process.poll() is not None or _is_ready(folder), "Imagemill to be ready", _START_SECONDS)
        assert process.poll() is None, (folder / "run.log").read_text("utf-8")
        yield url
    finally:
        stop_child(process, _STOP_SECONDS)


def _is_ready(folder: Path) -> bool:
    return "Imagemill is ready" in (folder / "run.log").read_text("utf-8")


def images_of(url: str, **query: str) -> list[dict[str, str]]:
    """Newest first."""
    found: list[dict[str, str]] = requests.get(f"{url}/api/v1/images", params=query, timeout=60).json()["images"]
    return found
