"""Threads that work until they are told to stop."""

import threading
from collections.abc import Callable


class Threads:
    """Each does one work again and again; `stopping` is what it waits on in between."""

    def __init__(self, *works: Callable[[threading.Event], None]) -> None:
        self._stopping = threading.Event()
        self._all = [threading.Thread(target=work, args=(self._stopping,)) for work in works]

    def start(self) -> None:
        """Begin."""
        for thread in self._all:
            thread.start()

    def stop(self) -> None:
        """End, once each is done with what it is at."""
        self._stopping.set()
        for thread in self._all:
            thread.join()
