"""A worker whose child process is killed once in mid-work, as by a machine that is short of memory."""

import os
from pathlib import Path

from imagemill.process.program import run as run_program
from imagemill.recipes import Picture, Recipe
from imagemill.worker.__main__ import main
from imagemill.worker.isolation import DecoderProcess

_apply = DecoderProcess.apply


def apply(self: DecoderProcess, recipe: Recipe, data: bytes, timeout_seconds: float) -> Picture:
    mark = Path(os.environ["PYTHON_KILLED_ONCE"])
    if not mark.exists():
        mark.touch()
        self._process.kill()
    return _apply(self, recipe, data, timeout_seconds)


DecoderProcess.apply = apply  # type: ignore[method-assign]

if __name__ == "__main__":
    run_program("worker", main)
