"""Fault after fault, drawn by a seed."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chaos.api import Api


@dataclass(frozen=True)
class Fault:
    """What goes wrong, counted by `kind`; `act` takes as long as it lasts. `weight`: how often beside the others."""

    weight: int
    kind: str
    details: str
    act: Callable[[], None]


class Site(Protocol):
    """An installation, and all that can go wrong with it."""

    api: Api

    def start(self) -> None:
        """Bring everything up."""

    def faults(self, chance: random.Random) -> Sequence[Fault]:
        """Each kind once, with names and times drawn."""

    def second(self, chance: random.Random) -> Fault:
        """What may happen while another fault lasts; it takes no time."""

    def loss(self) -> Fault:
        """What happens once, at half-time."""

    def mend(self) -> None:
        """All is well again, but for what must recover by itself."""

    def bytes_there(self, hashes: Sequence[str]) -> set[str]:
        """Those of them that the blob store has."""

    def verify(self) -> object:
        """What `imagemill verify --all` finds wrong, if anything."""

    def close(self) -> None:
        """Leave nothing."""


def break_everything(site: Site, chance: random.Random, until: float, pauses: tuple[float, float]) -> Counter[str]:
    """Fault after fault, at times two at once. Their order is the seed's, their moments are the machine's."""
    done: Counter[str] = Counter()
    half_time, had_loss = (time.monotonic() + until) / 2, False
    while time.monotonic() < until:
        time.sleep(chance.uniform(*pauses))
        faults = site.faults(chance)
        fault = chance.choices(faults, [one.weight for one in faults])[0]
        if not had_loss and time.monotonic() > half_time:
            fault, had_loss = site.loss(), True
        also = [site.second(chance)] if chance.random() < 0.25 and _may_be_two(fault) else []
        _act(fault, also, done)
    return done


def _may_be_two(fault: Fault) -> bool:
    return fault.kind.startswith(("kill", "pause", "freeze", "cut", "isolate"))


def _act(fault: Fault, also: Iterable[Fault], done: Counter[str]) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {fault.kind} {fault.details}", flush=True)
    done[fault.kind] += 1
    meanwhile = [threading.Thread(target=_attempt, args=(one, done)) for one in also]
    for one, thread in zip(also, meanwhile, strict=True):
        done[f"{one.kind} meanwhile"] += 1
        thread.start()
    _attempt(fault, done)
    for thread in meanwhile:
        thread.join()


def _attempt(fault: Fault, done: Counter[str]) -> None:
    try:
        fault.act()
    except Exception as error:  # the server was just away for another reason
        print(f"          not done: {error!r}", flush=True)
        done["not done"] += 1
