"""What the person who started the run sees."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """A line with the time of day."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Says that something begins, and how long it took when it has worked."""
    say(f"{what} ...")
    began = time.monotonic()
    yield
    say(f"{what}: done in {time.monotonic() - began:.1f} s")


def welcome(page: str, logs: str, environment: str, notes: list[str]) -> str:
    """What to know once everything is ready."""
    lines = ["", f"  Imagemill is ready:  {page}", ""]
    lines += [f"  {note}" for note in notes]
    lines += [
        f"  Logs are in {logs}",
        f"  For other programs:  set -a; . {environment}; set +a",
        "  Ctrl-C stops it.",
        "",
    ]
    return "\n".join(lines)
