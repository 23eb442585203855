"""Who works on what now, from what workers tell of each picture: bounded, and no question to anybody."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from imagemill.domain.activity import Record

MAX_WORKERS = 1000
_MAX_PICTURES = 64
# Nothing tells that a worker has gone, and what it told may be lost: of one that is silent for so long nobody knows.
SILENCE_SECONDS = 600.0


@dataclass(slots=True)
class _Worker:
    recipe: str
    heard: float
    at: str
    works_on: OrderedDict[str, dict[str, Any]] = field(default_factory=OrderedDict)


class AtWork:
    """Workers by name. Not safe to use from many threads: the hub has a lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._workers: OrderedDict[str, _Worker] = OrderedDict()
        self._hands: dict[str, str] = {}  # of each picture in work its worker

    def hear(self, record: Record) -> None:
        """Take in that a picture was taken or done; anything else says nothing of workers."""
        kind, name, image = record.get("kind"), str(record.get("by") or ""), str(record.get("image") or "")
        if kind not in ("taken", "done") or not (name and image and record.get("recipe")):
            return
        worker = self._workers.setdefault(name, _Worker(str(record["recipe"]), 0.0, ""))
        worker.recipe, worker.heard, worker.at = str(record["recipe"]), self._clock(), str(record.get("at"))
        self._put_down(image)
        if kind == "taken":
            worker.works_on[image] = {"id": image, "name": record.get("name"), "since": worker.at}
            self._hands[image] = name
        while len(worker.works_on) > _MAX_PICTURES:
            self._put_down(next(iter(worker.works_on)))
        self._workers.move_to_end(name)
        while len(self._workers) > MAX_WORKERS:
            _, gone = self._workers.popitem(last=False)
            for left in gone.works_on:
                del self._hands[left]

    def _put_down(self, image: str) -> None:
        """Whoever had it: one that gave it back to its queue does not say so, and then another takes it."""
        before = self._workers.get(self._hands.pop(image, ""))
        if before is not None:
            before.works_on.pop(image, None)

    def told(self, pool_of: Callable[[str], str]) -> dict[str, list[dict[str, Any]]]:
        """The workers of each pool by name, those that were heard of lately."""
        since = self._clock() - SILENCE_SECONDS
        pools: dict[str, list[dict[str, Any]]] = {}
        for name, worker in sorted(self._workers.items()):
            if worker.heard >= since:
                told = {"name": name, "works_on": list(worker.works_on.values()), "heard_at": worker.at}
                pools.setdefault(pool_of(worker.recipe), []).append(told)
        return pools
