"""Reports wait here until there is time for them: the last of each pool, so that a slow API server is never flooded."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from imagemill_operator.pace import Pace

SENDERS = 4
Item = TypeVar("Item")


class Outbox(Generic[Item]):
    """Keeps one item for each key, sends the longest waiting first, and never two of one key at once."""

    def __init__(self, send: Callable[[Item], Awaitable[None]], pace: Pace) -> None:
        self._send, self._pace = send, pace
        self._waiting: dict[str, Item] = {}
        self._under_way: set[str] = set()
        self._changed = asyncio.Event()

    def get(self, key: str) -> Item | None:
        """Return what waits under a key."""
        return self._waiting.get(key)

    def put(self, key: str, item: Item) -> None:
        """Let an item wait in the place of the one before it."""
        self._waiting[key] = item
        self._changed.set()

    def forget(self, key: str) -> None:
        """Send nothing under a key any more."""
        self._waiting.pop(key, None)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as senders:
            for _ in range(SENDERS):
                senders.create_task(self._send_on_and_on())

    async def drain(self) -> None:
        """Send all that waits, without delay."""
        while (key := self._next()) is not None:
            await self._send_one(key)

    async def _send_on_and_on(self) -> None:
        while True:
            while self._next() is None:
                self._changed.clear()
                await self._changed.wait()
            await self._pace.turn()
            if (key := self._next()) is not None:
                await self._send_one(key)

    def _next(self) -> str | None:
        return next((key for key in self._waiting if key not in self._under_way), None)

    async def _send_one(self, key: str) -> None:
        item = self._waiting.pop(key)
        self._under_way.add(key)
        try:
            await self._send(item)
        finally:
            self._under_way.discard(key)
            self._changed.set()
