"""What `make bench-peers` counts, and how it judges."""

import os
import subprocess
import sys

from bench.accounting import Meter, Usage, parsed, readings, spent
from bench.against_peers import OURS, Turn, best_peer, per_photo, photos_of, spread
from imagemill.recipes import load

STAT = "12 (a (b) c) S " + " ".join(str(number) for number in range(4, 53))


def test_cpu_time_and_bytes_are_read_behind_a_name_with_brackets() -> None:
    assert parsed(STAT, "wchar: 9\nwrite_bytes: 4096\n") == Usage((14 + 15) / 100, 4096)


def test_a_process_that_came_later_counts_whole_and_one_that_ended_counts_with_what_was_seen_last() -> None:
    before = {1: Usage(5, 100), 2: Usage(1, 10)}
    assert spent(before, {1: Usage(6, 150), 2: Usage(1.5, 10), 3: Usage(2, 1)}) == Usage(3.5, 51)


def test_a_meter_counts_children_that_ended() -> None:
    meter = Meter({"this": [os.getpid()]})
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 1.5: pass"], check=True)
    assert meter.stop()["this"].cpu_seconds > 0.5


def test_processes_that_are_gone_use_nothing() -> None:
    assert readings([2**22 + 1]) == {}


def test_the_best_peer_has_the_best_median() -> None:
    def turn(rate: float, cpu: float) -> Turn:
        return Turn(rate, {"workers": Usage(cpu, 0)})

    rounds = [
        {OURS: turn(99, 0.001), "a": turn(10, 0.05), "b": turn(30, 0.09)},
        {OURS: turn(99, 0.001), "a": turn(20, 0.05), "b": turn(5, 0.02)},
        {OURS: turn(99, 0.001), "a": turn(21, 0.05), "b": turn(6, 0.06)},
    ]
    assert best_peer(rounds, "rate") == "a"
    assert best_peer(rounds, "cpu_ms") == "a"
    assert rounds[0]["a"].cpu_ms == 50


def test_the_share_of_one_photo_and_the_spread() -> None:
    assert per_photo({"front": Usage(3, 3001)}, 300) == {"front": Usage(0.01, 10)}
    assert spread([3, 1, 2]) == "2.0 (1.0 to 3.0)"


def test_no_two_photos_have_the_same_result() -> None:
    gray = load()["gray"]
    assert len({gray.apply(photo).data for photo in photos_of(6)}) == 6
