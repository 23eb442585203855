"""The choices of a run: drawn by a seed, or played again; and the cutting down of those that broke something."""

import random
from collections.abc import Callable, Sequence

_RANGE = 1 << 20


class Tape:
    """Answers each question with a number; 0 always means that nothing special happens.

    >>> Tape(given=[7, 3]).choose(5)
    2
    """

    def __init__(self, seed: int | None = None, given: Sequence[int] = ()) -> None:
        self.taken: list[int] = []
        self._given = given
        self._random = random.Random(seed) if seed is not None else None

    def choose(self, count: int) -> int:
        """A number from 0 to count - 1."""
        if count <= 1:
            return 0
        place = len(self.taken)
        if place < len(self._given):
            value = self._given[place] % count
        else:
            value = int(self._random.random() * _RANGE) % count if self._random else 0
        self.taken.append(value)
        return value

    def rarely(self, one_in: int) -> bool:
        """True once in so many times."""
        return self.choose(one_in) == one_in - 1


def shrunk(taken: Sequence[int], breaks: Callable[[Sequence[int]], bool], attempts: int = 2000) -> list[int]:
    """The shortest and plainest choices found that still break: ends cut off, parts left out, numbers made 0."""
    best = list(taken)
    left = attempts
    changed = True
    while changed and left > 0:
        changed = False
        for candidate in _simpler(best):
            left -= 1
            if left <= 0:
                break
            if breaks(candidate):
                best, changed = candidate, True
                break
    while best and best[-1] == 0:
        best.pop()
    return best


def _simpler(choices: list[int]) -> list[list[int]]:
    """Candidates, the boldest first."""
    found, size = [], len(choices) // 2
    while size:
        for start in range(0, len(choices), size):
            end = start + size
            found.append(choices[:start] + choices[end:])
            if any(choices[start:end]):
                found.append(choices[:start] + [0] * len(choices[start:end]) + choices[end:])
        size //= 2
    return found
