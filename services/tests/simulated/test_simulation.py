"""The protocol of the ledger in simulated time: many short runs, and errors that must be found by them."""

import subprocess
import sys
from pathlib import Path

import pytest

from simulation.tape import shrunk

SERVICES = Path(__file__).parents[2]


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulation", *arguments]
    return subprocess.run(command, cwd=SERVICES, capture_output=True, text=True, timeout=540)


def test_the_promise_is_kept_in_every_run() -> None:
    done = simulate("--schedules", "400")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seed_gives_the_same_run_again() -> None:
    stories = [simulate("--story", "7").stdout for _ in range(2)]
    assert stories[0] == stories[1]
    assert "bulk job:" in stories[0]


@pytest.mark.parametrize("choices", [[5, 1, 9, 9], [9] * 40, [0, 0, 9, 0, 0, 0, 9, 4]])
def test_choices_are_cut_down_to_those_that_matter(choices: list[int]) -> None:
    assert shrunk(choices, lambda some: list(some).count(9) >= 2) == [9, 9]
