import threading
import time

from imagemill.concurrency.grouping import Bounds, Grouper
from mill import wait_for


def collected(bounds: Bounds, items: list[int], weigh: int = 0) -> list[list[int]]:
    groups: list[list[int]] = []
    grouper: Grouper[int] = Grouper(groups.append, bounds, weigh=lambda _: weigh)
    for item in items:
        grouper.put(item)
    grouper.start()
    assert grouper.close(60)
    return groups


def test_items_that_are_there_together_form_groups_up_to_the_limit() -> None:
    assert collected(Bounds(entries=4, seconds=0.01), list(range(10))) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_group_ends_when_it_is_heavy_enough() -> None:
    assert collected(Bounds(entries=100, seconds=0.01, weight=10), [1, 2, 3], weigh=5) == [[1, 2], [3]]


def test_a_lone_item_waits_no_longer_than_the_window() -> None:
    handled = threading.Event()
    grouper: Grouper[int] = Grouper(lambda _: handled.set(), Bounds(entries=100, seconds=0.05))
    grouper.start()
    began = time.monotonic()
    grouper.put(1)
    assert handled.wait(60)
    assert time.monotonic() - began < 30
    grouper.close(60)


def test_groups_overlap_when_there_are_several_threads() -> None:
    running, both = set(), threading.Barrier(2)

    def handle(group: list[int]) -> None:
        both.wait(60)
        running.update(group)

    grouper: Grouper[int] = Grouper(handle, Bounds(entries=1, seconds=0), threads=2)
    grouper.start()
    grouper.put(1)
    grouper.put(2)
    wait_for(lambda: running == {1, 2}, "both groups at the same time")
    grouper.close(60)
