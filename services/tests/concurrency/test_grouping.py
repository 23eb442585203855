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


def test_who_came_alone_is_not_kept_waiting_for_company() -> None:
    bounds = Bounds(entries=10, seconds=0.2, lone_seconds=0.005)
    assert [bounds.wait_seconds(before) for before in (0, 1, 2)] == [0.005, 0.005, 0.2]
    assert Bounds(entries=10, seconds=0.2).wait_seconds(1) == 0.2


def test_a_group_waits_as_the_one_before_it_found_company() -> None:
    waited: list[int] = []

    class Seen(Bounds):
        def wait_seconds(self, entries_before: int) -> float:
            waited.append(entries_before)
            return super().wait_seconds(entries_before)

    assert collected(Seen(entries=4, seconds=0.01, lone_seconds=0), list(range(5))) == [[0, 1, 2, 3], [4]]
    assert waited == [0, 4]


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
