"""Memory that a picture leaves."""

import subprocess
import sys

import pytest

# As for pictures one after the other in a thread: pixels, encoded bytes, a copy of them.
_PICTURES = """
import resource, sys, threading
from imagemill.worker.freed import keep_freed_memory

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

if not keep_freed_memory():
    sys.exit(3)
print(faults(10), faults(100))
"""
_NO_MALLOPT = 3


def test_it_is_used_again_by_the_next_picture() -> None:
    done = subprocess.run([sys.executable, "-c", _PICTURES], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == _NO_MALLOPT:
        pytest.skip("the C library has no mallopt: only glibc gives memory back that eagerly")
    few, many = map(int, done.stdout.split())
    assert many < 3 * few, done.stderr
