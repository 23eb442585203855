"""A worker whose pictures take until a file is there."""

import os
import time
from pathlib import Path

from imagemill.process.program import run as run_program
from imagemill.recipes import engine
from imagemill.worker.__main__ import main

_run = engine.run


def run(recipe: object, data: bytes, preview_pixels: int) -> object:
    while not Path(os.environ["PYTHON_GO_ON"]).exists():
        time.sleep(0.05)
    return _run(recipe, data, preview_pixels)


engine.run = run  # also in the child process, which imports this file again

if __name__ == "__main__":
    run_program("worker", main)
