"""`make fuzz ARGS="--minutes 10 --seed 1"`: one target after the other; ends with 1 and an example when one breaks."""

import argparse
import itertools
import sys
import time

import hypothesis

from fuzz.targets import TARGETS

_EXAMPLES_A_ROUND = 500


def main() -> int:
    """Go round all targets until the time is over."""
    parser = argparse.ArgumentParser(description="Chance against everything that reads what strangers send.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1, help="the first round's; the others count on from it")
    parser.add_argument("--only", nargs="+", choices=sorted(TARGETS), default=sorted(TARGETS))
    given = parser.parse_args()
    until, done = time.monotonic() + 60 * given.minutes, dict.fromkeys(given.only, 0)
    for name, seed in zip(itertools.cycle(given.only), itertools.count(given.seed), strict=False):
        if time.monotonic() > until:
            break
        try:
            done[name] += _round(name, seed)
        except Exception as error:
            error.add_note(f"found by: --only {name} --seed {seed}")
            raise
    print(", ".join(f"{name}: {count:,}" for name, count in done.items()), "examples, 0 broken")
    return 0


def _round(name: str, seed: int) -> int:
    """Examples of one target; raises what the smallest that breaks raises."""
    target, count = TARGETS[name], 0

    def check(example: object) -> None:
        nonlocal count
        count += 1
        target.check(example)

    run = hypothesis.given(target.drawn)(check)
    settings = hypothesis.settings(
        max_examples=_EXAMPLES_A_ROUND, deadline=None, database=None, print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    hypothesis.seed(seed)(settings(run))()
    return count


if __name__ == "__main__":
    sys.exit(main())
