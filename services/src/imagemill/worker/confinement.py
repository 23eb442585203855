"""What the child processes for pictures may not do: whoever takes it over by a decoder's bug finds little.

It has the worker's environment, which holds no secret any more, and neither its connections nor its threads; and it may
not look into the worker's memory.
"""

import ctypes
import os
import resource
import sys
from pathlib import Path

import structlog

from imagemill.process.environment import without_secrets
from imagemill.worker import kernel

log = structlog.get_logger(__name__)
_PR_SET_DUMPABLE = 4
# Three copies of a picture with four channels of floating-point numbers, and a third more.
_BYTES_PER_PIXEL = 64
_OTHER_BYTES = 1 << 30
_OPEN_FILES = 64
_CPU_MARGIN_SECONDS = 5
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")


def hide_secrets() -> None:
    """Leave in the environment what a program needs to run, as children inherit it, and close this process to them.

    What it began with stands in `/proc/PID/environ`, which others of the same user may read only of dumpable processes.
    """
    for name in os.environ.keys() - without_secrets(os.environ).keys():
        del os.environ[name]
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        log.warning("others may look into this process", error=os.strerror(ctypes.get_errno()))


def confine(max_pixels: int) -> None:
    """Give up for this process what work on pictures does not need. A decoder for which it is too little fails."""
    for kind, most in limits(max_pixels, _own_bytes()).items():
        _lower(kind, most)
    kernel.gain_no_privileges()


def close_off() -> None:
    """Give up network, other programs, and all files but those of Python and the libraries, to read."""
    kernel.give_up_files(_libraries())
    kernel.give_up_system_calls()


def _libraries() -> list[Path]:
    """Where modules and libraries are that are loaded when they are first needed; never the whole file system."""
    found = {Path(place).resolve() for place in (sys.prefix, sys.base_prefix, *_SYSTEM, *filter(None, sys.path))}
    return [place for place in found if place != Path("/")]


def allow_cpu(seconds: float) -> None:
    """Let this process work for so long from now on; then the system ends it, even if nobody waits for it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds) + _CPU_MARGIN_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def limits(max_pixels: int, own_bytes: int) -> dict[int, int]:
    """Limits by kind: memory for the largest picture, few open files, nothing written to files, no dumps of memory."""
    return {
        resource.RLIMIT_AS: own_bytes + _OTHER_BYTES + max_pixels * _BYTES_PER_PIXEL,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }


def _lower(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _own_bytes() -> int:
    """Address space that libraries take before the first picture; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
