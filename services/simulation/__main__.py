"""`make simulate ARGS="--schedules 100000 --seed 1"`: ends with 1 and a story when the promise was broken."""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from simulation.mutations import MUTATIONS
from simulation.runs import Run, search, shortest, story_by, story_of


def main() -> int:
    """Some runs, or those of a broken program."""
    parser = argparse.ArgumentParser(description="The ledger's protocol over models of its servers, by chance.")
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="the first run's; the others count on from it")
    parser.add_argument("--mutation", choices=sorted(MUTATIONS), help="put a known error back; it must be found")
    parser.add_argument("--mutations", action="store_true", help="all of them, one by one")
    parser.add_argument("--story", type=int, metavar="SEED", help="tell one run, step by step")
    given = parser.parse_args()
    if given.story is not None:
        print("\n".join(story_by(given.story)))
        return 0
    if given.mutations:
        return max(_mutation(name, given.seed, given.schedules) for name in MUTATIONS)
    if given.mutation:
        return _mutation(given.mutation, given.seed, given.schedules)
    began = time.monotonic()
    broken, done = search(given.seed, given.schedules, None)
    print(f"{done} schedules in {time.monotonic() - began:.0f} s, {'one' if broken else '0'} broken")
    if broken is None:
        return 0
    _tell(broken, None)
    return 1


def _mutation(name: str, seed: int, schedules: int) -> int:
    broken, done = search(seed, schedules, name)
    if broken is None:
        print(f"{name}: NOT FOUND in {done} schedules")
        return 1
    print(f"{name}: found by seed {broken.seed} after {done} schedules: {broken.complaints[0]}")
    return 0


def _tell(broken: Run, mutation: str | None) -> None:
    print(f"seed {broken.seed}: {'; '.join(broken.complaints)}")
    choices: Sequence[int] = shortest(broken, mutation)
    print(f"The shortest of the kind has the choices {list(choices)}:")
    print("\n".join(story_of(choices, mutation)))


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is a part of a run
        os.execve(
            sys.executable, [sys.executable, "-m", "simulation", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"}
        )
    sys.exit(main())
