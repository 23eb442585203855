"""A worker whose child process is killed once in mid-work, as by a machine that is short of memory."""

import os
import signal
from pathlib import Path

from imagemill.process.program import run as run_program
from imagemill.recipes import engine
from imagemill.worker.__main__ import main

_run = engine.run


def run(recipe: object, data: bytes, preview_pixels: int) -> object:
    mark = Path(os.environ["PYTHON_KILLED_ONCE"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _run(recipe, data, preview_pixels)


engine.run = run  # also in the child process, which imports this file again

if __name__ == "__main__":
    run_program("worker", main)
