"""Memory that a picture leaves."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from imagemill.local.plan import MALLOC, worker

DOCKERFILE = Path(__file__).parents[3] / "images" / "services" / "Dockerfile"
# As for pictures one after the other in a thread: pixels, encoded bytes, a copy of them.
_PICTURES = """
import resource, threading

def work(count):
    for _ in range(count):
        pixels, encoded = bytearray(6_000_000), bytearray(5_000_000)
        copied = bytes(encoded)
        del pixels, encoded, copied

def faults(count):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    thread = threading.Thread(target=work, args=(count,))
    thread.start()
    thread.join()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults(10), faults(100))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives memory back that eagerly")
def test_it_is_used_again_by_the_next_picture() -> None:
    environment = worker("default", 1, os.environ, {}, 0).environment
    done = subprocess.run(
        [sys.executable, "-c", _PICTURES], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    few, many = map(int, done.stdout.split())
    assert many < 3 * few, done.stderr


def test_the_images_set_what_the_local_workers_have() -> None:
    text = DOCKERFILE.read_text()
    assert [f"{name}={value}" for name, value in MALLOC.items() if f"{name}={value}" not in text] == []
