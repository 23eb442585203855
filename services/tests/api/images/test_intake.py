"""How offered files are read: to their end, and no more of them in memory than is taken."""

import io
import tracemalloc

import pytest

from imagemill.api.images.offers import offered

MEBIBYTE = 1 << 20


class Zeros(io.RawIOBase):
    """A body of so many bytes, of which none is there before it is read."""

    def __init__(self, size_bytes: int) -> None:
        self.left = size_bytes

    def read(self, count: int = -1) -> bytes:
        """As many as are asked for, while there are any."""
        count = min(count, self.left)
        self.left -= count
        return bytes(count)


@pytest.mark.parametrize("size_bytes", [0, 1, MEBIBYTE, 3 * MEBIBYTE - 1, 3 * MEBIBYTE])
def test_what_is_not_too_long_is_kept_whole(size_bytes: int) -> None:
    offer = offered("a.jpg", Zeros(size_bytes), 3 * MEBIBYTE)  # type: ignore[arg-type]
    assert (len(offer.data), offer.size_bytes) == (size_bytes, size_bytes)


def test_a_body_without_end_moves_memory_by_what_is_taken_at_most() -> None:
    body = Zeros(1024 * MEBIBYTE)
    tracemalloc.start()
    try:
        offer = offered("a.jpg", body, 3 * MEBIBYTE)  # type: ignore[arg-type]
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (offer.data, offer.size_bytes, body.left) == (b"", 1024 * MEBIBYTE, 0)
    assert peak_bytes < 6 * MEBIBYTE
