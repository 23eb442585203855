"""Memory for what was received of requests that no thread sees to yet."""

import threading


class ReceivedBytes:
    """How much there is, over all connections. Safe to use from many threads."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit, self._bytes = limit_bytes, 0
        self._lock = threading.Lock()

    @property
    def has_room(self) -> bool:
        """May more be waited for than must be?"""
        return self._bytes < self._limit

    def add(self, count: int) -> None:
        """So many more, or fewer."""
        with self._lock:
            self._bytes += count
