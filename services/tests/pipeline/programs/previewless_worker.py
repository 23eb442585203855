"""A worker in which no preview can be made."""

from imagemill.process.program import run as run_program
from imagemill.recipes import previews
from imagemill.worker.__main__ import main


def webp(*_: object) -> bytes:
    raise MemoryError


previews.webp = webp

if __name__ == "__main__":
    run_program("worker", main)
