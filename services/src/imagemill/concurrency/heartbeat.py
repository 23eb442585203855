"""Signs of life of threads: whoever waits knowingly in the middle of something long is not taken for stuck."""

import threading
import time

_last: dict[int, float] = {}


def beat() -> None:
    """Show that the calling thread goes on."""
    _last[threading.get_ident()] = time.monotonic()


def silent_seconds(thread: threading.Thread) -> float:
    """How long ago the thread has shown that it goes on; 0 when it never has."""
    now = time.monotonic()
    return now - _last.get(thread.ident or 0, now)
