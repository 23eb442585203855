"""A worker which never ends with pictures of 66 pixels width."""

import time

from imagemill.admission import headers
from imagemill.process.program import run as run_program
from imagemill.recipes import engine
from imagemill.worker.__main__ import main

_run = engine.run


def run(recipe: object, data: bytes, preview_pixels: int) -> object:
    if headers.read(data, 1).width == 66:
        time.sleep(3600)
    return _run(recipe, data, preview_pixels)


engine.run = run  # also in the child process, which imports this file again

if __name__ == "__main__":
    run_program("worker", main)
