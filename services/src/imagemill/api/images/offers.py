"""Files as they are offered: read within a bound, whatever is sent."""

import time
from dataclasses import dataclass
from typing import IO

from imagemill.api.web.spool import DISCARD_SECONDS
from imagemill.domain.images import ImageInfo

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Offer:
    """A file as it was offered; `index` is its place in the request, by which the client knows it again.

    Of one that has more bytes than are taken there is no `data`, only its size. With the same `key` it is the same job.
    """

    name: str
    data: bytes
    size_bytes: int
    index: int = 0
    key: str | None = None
    info: ImageInfo | None = None
    """Of a picture whose original is stored already, and was seen `seen_at`; then there is no `data` either."""
    seen_at: float = float("inf")


def offered(
    name: str,
    stream: IO[bytes],
    max_bytes: int,
    index: int = 0,
    key: str | None = None,
    announced_bytes: int = 0,
) -> Offer:
    """Read an offer, and keep no more than `max_bytes` of it in memory; its `name` can be shown.

    What is too large is read on for a while, so that its client gets to read the answer, but not for ever.
    """
    # Pieces: a buffer that grows may be there twice while it does, and of what is refused in the end that is in vain.
    kept, size_bytes = list[bytes](), 0
    if announced_bytes <= max_bytes:
        while chunk := stream.read(_CHUNK_BYTES):
            size_bytes += len(chunk)
            if size_bytes > max_bytes:
                break
            kept.append(chunk)
        else:
            return Offer(name, b"".join(kept), size_bytes, index, key)
    kept.clear()
    return Offer(name, b"", max(announced_bytes, size_bytes + _discarded(stream)), index, key)


def _discarded(stream: IO[bytes]) -> int:
    size_bytes, until = 0, time.monotonic() + DISCARD_SECONDS
    while time.monotonic() < until and (chunk := stream.read(_CHUNK_BYTES)):
        size_bytes += len(chunk)
    return size_bytes
