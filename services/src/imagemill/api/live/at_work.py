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

    def hear(self, record: Record) -> None:
        """Take in that a picture was taken or done; anything else says nothing of workers."""
        kind, name, image = record.get("kind"), str(record.get("by") or ""), str(record.get("image") or "")
        if kind not in ("taken", "done") or not (name and image and record.get("recipe")):
            return
        worker = self._workers.setdefault(name, _Worker(str(record["recipe"]), 0.0, ""))
        worker.recipe, worker.heard, worker.at = str(record["recipe"]), self._clock(), str(record.get("at"))
        if kind == "taken":
            worker.works_on[image] = {"id": image, "name": record.get("name"), "since": worker.at}
        else:
            worker.works_on.pop(image, None)
        while len(worker.works_on) > _MAX_PICTURES:
            worker.works_on.popitem(last=False)
        self._workers.move_to_end(name)
        while len(self._workers) > MAX_WORKERS:
            self._workers.popitem(last=False)

    def told(self, pool_of: Callable[[str], str]) -> dict[str, list[dict[str, Any]]]:
        """The workers of each pool by name, those that were heard of lately."""
        since = self._clock() - SILENCE_SECONDS
        pools: dict[str, list[dict[str, Any]]] = {}
        for name, worker in sorted(self._workers.items()):
            if worker.heard >= since:
                told = {"name": name, "works_on": list(worker.works_on.values()), "heard_at": worker.at}
                pools.setdefault(pool_of(worker.recipe), []).append(told)
        return pools
