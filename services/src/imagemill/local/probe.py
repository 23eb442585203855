"""Short questions over HTTP to our own processes; no answer is an answer too."""

import urllib.error
import urllib.request

TIMEOUT_SECONDS = 2.0


def get(url: str) -> str | None:
    """The body of a 200, None for everything else."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 (our own addresses)
            body: bytes = response.read()
            return body.decode(errors="replace")
    except (OSError, ValueError):
        return None


def not_ready(url: str) -> str | None:
    """None when ready, else what the program says is missing."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS):  # noqa: S310 (our own addresses)
            return None
    except urllib.error.HTTPError as error:
        with error:
            return error.read(2000).decode(errors="replace").strip() or f"HTTP {error.code}"
    except OSError:
        return "no answer"
