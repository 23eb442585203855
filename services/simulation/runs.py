"""Runs by seed or by choices."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

from simulation.checks import complaints
from simulation.mutations import MUTATIONS
from simulation.patches import STAGE, patched
from simulation.scheduler import Endless
from simulation.tape import Tape, shrunk
from simulation.world import World

_PORTION = 500


@dataclass(frozen=True)
class Run:
    """One run: its choices, what was wrong, and how it went."""

    seed: int
    taken: Sequence[int]
    complaints: Sequence[str]
    story: Sequence[str]
    requests: int
    faults: int


def run(tape: Tape, seed: int = 0) -> Run:
    """Within `patched`."""
    world = World(tape)
    faults = len(world.faults)
    STAGE.begin(world.scheduler, seed)
    try:
        world.go()
        found = complaints(world)
    except Endless as error:
        found = [f"it does not end:\n{error}"]
    finally:
        world.scheduler.close()
    story = [*world.scheduler.story, *found]
    return Run(seed, tape.taken, found, story, world.requests, faults - len(world.faults))


def _mutated(mutation: str | None) -> AbstractContextManager[object]:
    return MUTATIONS[mutation]() if mutation else nullcontext()


def first_broken(seeds: Iterable[int], mutation: str | None = None) -> tuple[Run | None, int]:
    """The first run that broke the promise, and how many were made until then."""
    done = 0
    with patched(), _mutated(mutation):
        for seed in seeds:
            done += 1
            one = run(Tape(seed), seed)
            if one.complaints:
                return one, done
    return None, done


def search(seed: int, schedules: int, mutation: str | None) -> tuple[Run | None, int]:
    """The first run that breaks the promise, and how many there were."""
    portions = [(start, min(_PORTION, seed + schedules - start)) for start in range(seed, seed + schedules, _PORTION)]
    done = 0
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for broken, count in pool.imap(partial(_portion, mutation=mutation), portions):
            done += count
            if broken is not None:
                pool.terminate()
                return broken, done
    return None, done


def _portion(portion: tuple[int, int], mutation: str | None) -> tuple[Run | None, int]:
    return first_broken(range(portion[0], portion[0] + portion[1]), mutation)


def shortest(broken: Run, mutation: str | None = None) -> list[int]:
    """Its choices, cut down as long as there is anything wrong."""
    with patched(), _mutated(mutation):
        return shrunk(broken.taken, lambda choices: bool(run(Tape(given=choices)).complaints))


def story_of(choices: Sequence[int], mutation: str | None = None) -> Sequence[str]:
    """How it goes with these choices."""
    with patched(), _mutated(mutation):
        return run(Tape(given=choices)).story


def story_by(seed: int) -> Sequence[str]:
    """How it goes with the choices of a seed."""
    with patched():
        return run(Tape(seed), seed).story
