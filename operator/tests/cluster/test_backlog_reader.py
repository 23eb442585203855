"""What waits outside of the queues is work, too."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.cluster import bodies
from tests.cluster.stand_ins import Cluster

from imagemill_operator import backlog_reader
from imagemill_operator.backlog_reader import BacklogReader
from imagemill_operator.pool_metrics import BacklogMetrics

URL = "http://api-metrics.mill.svc:8081/metrics"
DEFAULT = BacklogMetrics(URL, "imagemill_held_jobs", (("pool", "default"),))
HEAVY = BacklogMetrics(URL, "imagemill_held_jobs", (("pool", "heavy"),))


def held(default: int, heavy: int) -> str:
    return f'imagemill_held_jobs{{pool="default"}} {default}.0\nimagemill_held_jobs{{pool="heavy"}} {heavy}.0\n'


def with_servers(
    monkeypatch: pytest.MonkeyPatch, texts: list[str], use: Callable[[BacklogReader], Awaitable[None]]
) -> None:
    """Servers behind one name; they answer 500 while their text is empty."""

    def app(place: int) -> web.Application:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(text=texts[place], status=200 if texts[place] else 500)

        made = web.Application()
        made.router.add_get("/metrics", answer)
        return made

    async def inside() -> None:
        servers = [TestServer(app(place)) for place in range(len(texts))]
        for server in servers:
            await server.start_server()
        urls = {f"10.0.0.{place}": str(server.make_url("/metrics")) for place, server in enumerate(servers)}

        async def addresses(_: str) -> dict[str, str]:
            return urls

        monkeypatch.setattr(backlog_reader, "_addresses", addresses)
        try:
            async with aiohttp.ClientSession() as session:
                await use(BacklogReader(session))
        finally:
            for server in servers:
                await server.close()

    asyncio.run(inside())


def test_all_pods_behind_a_name_are_added_up_by_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(asked: BacklogReader) -> None:
        assert await asked.read({"default": DEFAULT, "heavy": HEAVY}, 100.0) == {"default": 12, "heavy": 5}

    with_servers(monkeypatch, [held(10, 5), held(2, 0)], use)


def test_a_pod_that_does_not_answer_counts_as_before_for_a_while_and_then_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [held(10, 0), held(2, 0)]

    async def use(asked: BacklogReader) -> None:
        await asked.read({"default": DEFAULT}, 100.0)
        texts[0] = ""
        assert await asked.read({"default": DEFAULT}, 106.0) == {"default": 12}
        assert await asked.read({"default": DEFAULT}, 113.0) == {"default": 2}

    with_servers(monkeypatch, texts, use)


def test_a_name_without_addresses_adds_nothing() -> None:
    async def use() -> None:
        async with aiohttp.ClientSession() as session:
            wanted = {"default": BacklogMetrics("http://no-such-host.invalid:8081/metrics", "imagemill_held_jobs")}
            assert await BacklogReader(session).read(wanted, 100.0) == {"default": 0}

    asyncio.run(use())


def test_a_name_leads_to_every_address() -> None:
    found = asyncio.run(backlog_reader._addresses("http://localhost:8081/metrics"))
    assert found["127.0.0.1"] == "http://127.0.0.1:8081/metrics"


def test_a_pool_is_scaled_by_what_is_held_back_as_by_what_waits_in_its_queue() -> None:
    told = {"url": URL, "metric": "imagemill_held_jobs", "labels": {"pool": "gray"}}
    wanted = []
    for more in ({}, {"backlogMetrics": told}):
        cluster = Cluster(bodies.pool(backlogPerReplica=10, **more))
        cluster.ready, cluster.held_back = 20, 980
        cluster.tick()
        (state,) = cluster.controller.states.values()
        wanted.append((state["backlog"]["ready"], state["needed_replicas"]))
    assert wanted[0][0] == 20
    assert wanted[1][0] == 1000
    assert wanted[1][1] > wanted[0][1]
