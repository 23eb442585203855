"""Reports wait, the last of each pool; the API server is written to no faster than it bears."""

import asyncio

from imagemill_operator.outbox import Outbox
from imagemill_operator.pace import BURST_WRITES, LONGEST_PAUSE_SECONDS, WRITES_PER_SECOND, Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_last_report_of_each_pool_is_sent_the_longest_waiting_first() -> None:
    sent: list[str] = []

    async def send(item: str) -> None:
        sent.append(item)

    outbox = Outbox(send, Pace(Clock()))
    for key, item in (("a", "a1"), ("b", "b1"), ("a", "a2"), ("c", "c1")):
        outbox.put(key, item)
    outbox.forget("c")
    asyncio.run(outbox.drain())
    assert sent == ["a2", "b1"]


def test_two_reports_of_one_pool_are_never_under_way_at_once() -> None:
    under_way: list[str] = []
    sent: list[str] = []

    async def play() -> None:
        async def send(item: str) -> None:
            assert item[0] not in [other[0] for other in under_way]
            under_way.append(item)
            await asyncio.sleep(0)
            under_way.remove(item)
            sent.append(item)

        outbox = Outbox(send, Pace(Clock()))
        running = asyncio.create_task(outbox.run())
        for number in range(20):
            outbox.put("a", f"a{number}")
            outbox.put("b", f"b{number}")
            await asyncio.sleep(0)
        while outbox.get("a") or outbox.get("b") or under_way:
            await asyncio.sleep(0)
        running.cancel()

    asyncio.run(play())
    assert {sent[-1], sent[-2]} == {"a19", "b19"}


def test_what_is_urgent_goes_at_once_and_the_rest_waits_for_it() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(int(BURST_WRITES + WRITES_PER_SECOND)):
        pace.take()
    assert pace._wait_seconds() > 1.0
    clock.now += 1.1
    assert pace._wait_seconds() <= 0.0


def test_no_pause_lasts_for_ever() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.pause(86_400.0)
    clock.now += LONGEST_PAUSE_SECONDS - 1
    assert pace.paused
    clock.now += 1
    assert not pace.paused
