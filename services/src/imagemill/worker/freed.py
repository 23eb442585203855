"""What glibc does with the memory that a picture leaves."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 64 * 1024 * 1024
_MAPPED_FROM_BYTES = 32 * 1024 * 1024


def keep_freed_memory() -> bool:
    """Keeps up to 64 MiB for the next picture; True where the C library can do so.

    Else it goes back to the system after every picture, to be fetched again page by page for the next one.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES) and mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM_BYTES))
