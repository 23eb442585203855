"""Two operators never act at once."""

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

from imagemill_operator.kube import KubeError
from imagemill_operator.lease import Lease


class Leases:
    """The API server's Leases in memory."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.down = False

    async def get_lease(self, name: str) -> dict[str, Any] | None:
        if self.down:
            raise KubeError(0, "down")
        return copy.deepcopy(self.lease)

    async def create_lease(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if self.lease is not None:
            raise KubeError(409, "exists")
        return self._store(body)

    async def replace_lease(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        assert self.lease is not None
        if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise KubeError(409, "changed")
        return self._store(body)

    def _store(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self.version += 1
        meta = {**body["metadata"], "resourceVersion": str(self.version)}
        self.lease = {**copy.deepcopy(dict(body)), "metadata": meta}
        return self.lease


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def two() -> tuple[Leases, Clock, Lease, Lease]:
    leases, clock = Leases(), Clock()
    first, second = (Lease(leases, "op", name, 15.0, clock) for name in ("first", "second"))
    return leases, clock, first, second


def keep(*leases: Lease) -> list[bool]:
    return [asyncio.run(lease.keep()) for lease in leases]


def test_the_first_acts_and_the_second_stands_by() -> None:
    _, clock, first, second = two()
    for _ in range(20):
        clock.now += 2
        assert keep(first, second) == [True, False]
    assert second.holder == "first"


def test_a_silent_holder_is_replaced_and_stops_before_that() -> None:
    _, clock, first, second = two()
    assert keep(first, second) == [True, False]
    history = []
    for _ in range(20):
        clock.now += 1
        history.append((first.held, keep(second)[0]))
    assert (True, True) not in history
    assert history[-1] == (False, True)


def test_a_released_lease_is_taken_at_once() -> None:
    _, clock, first, second = two()
    keep(first, second)
    asyncio.run(first.release())
    clock.now += 2
    assert keep(second, first) == [True, False]


def test_without_the_api_server_nobody_acts_for_long() -> None:
    leases, clock, first, _ = two()
    assert keep(first) == [True]
    leases.down = True
    clock.now += 6
    assert keep(first) == [True]
    clock.now += 6
    assert keep(first) == [False]


def test_the_same_identity_goes_on_after_a_restart() -> None:
    leases, clock, first, _ = two()
    keep(first)
    again = Lease(leases, "op", "first", 15.0, clock)
    assert keep(again) == [True]
