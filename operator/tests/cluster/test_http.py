"""What is read over HTTP, and what is served."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from tests.cluster.stand_ins import BacklogReader, Brokers, Cluster
from tests.cluster.stand_ins import Workers as NoWorkers

from imagemill_operator import workers
from imagemill_operator.actor import Actor
from imagemill_operator.controller import Controller
from imagemill_operator.http import get_text
from imagemill_operator.kube import KubeError
from imagemill_operator.pool_metrics import MetricNames
from imagemill_operator.steering import Steering
from imagemill_operator.web import Health, make_app, make_registry
from imagemill_operator.workers import Source, WorkerReading, Workers

Answer = Callable[[web.Request], Awaitable[web.Response]]


def with_server(answer: Answer, use: Callable[[str], Awaitable[Any]]) -> Any:
    """Serve on a free port while a coroutine uses it."""

    async def inside() -> Any:
        app = web.Application()
        app.router.add_get("/metrics", answer)
        async with TestServer(app) as server:
            return await use(str(server.make_url("/metrics")))

    return asyncio.run(inside())


def at(**urls: str) -> dict[str, Source]:
    return {pod: Source(url, MetricNames()) for pod, url in urls.items()}


CELERY = """
celery_worker_tasks_active{hostname="celery@resize-1"} 3.0
celery_worker_tasks_active{hostname="celery@resize-2"} 0.0
celery_worker_tasks_active{hostname="celery@other-1"} 9.0
celery_task_runtime_count{hostname="celery@resize-1",name="resize",queue_name="resize"} 4.0
celery_task_runtime_sum{hostname="celery@resize-1",name="resize",queue_name="resize"} 2.0
celery_task_runtime_count{hostname="celery@resize-1",name="crop",queue_name="resize"} 1.0
celery_task_runtime_sum{hostname="celery@resize-1",name="crop",queue_name="resize"} 0.5
"""


def test_an_exporter_tells_of_all_pods_of_a_pool_and_of_nobody_elses() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=CELERY)

    async def use(url: str) -> Mapping[str, WorkerReading]:
        names = MetricNames(busy="celery_worker_tasks_active", seconds="celery_task_runtime", assumed_threads=4)
        source = Source(url, names, "hostname", frozenset({"resize-1", "resize-2", "resize-3"}))
        async with aiohttp.ClientSession() as session:
            return await Workers(session).read({}, {"resize": source}, 100.0)

    assert with_server(answer, use) == {
        "resize-1": WorkerReading(100.0, 3, 4.0, 5.0, 2.5), "resize-2": WorkerReading(100.0, 0, 4.0, 0.0, 0.0),
    }  # fmt: skip


def test_a_worker_whose_metrics_are_no_numbers_keeps_nobody_from_being_read() -> None:
    texts = iter(
        [
            "imagemill_worker_busy NaN\n",
            "imagemill_worker_busy +Inf\n",
            "imagemill_worker_busy 1\nimagemill_worker_image_seconds_sum NaN\nimagemill_worker_image_seconds_count 2\n",
            "imagemill_worker_busy 1\n",
        ]
    )

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=next(texts))

    async def use(url: str) -> Mapping[str, WorkerReading]:
        async with aiohttp.ClientSession() as session:
            return await Workers(session).read(at(a=url, b=url, c=url, d=url), {}, 100.0)

    told = with_server(answer, use).values()
    assert sorted(reading.images for reading in told) == [0.0, 2.0]
    assert [reading.seconds for reading in told] == [0.0, 0.0]


def test_workers_are_asked_and_those_that_are_gone_forgotten() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="imagemill_worker_busy 1\nimagemill_worker_threads 2\n")

    async def use(url: str) -> list[Mapping[str, WorkerReading]]:
        async with aiohttp.ClientSession() as session:
            asked = Workers(session)
            both = await asked.read(at(a=url, b="http://127.0.0.1:9/metrics"), {}, 100.0)
            return [both, await asked.read(at(b="http://127.0.0.1:9/metrics"), {}, 102.0)]

    first, second = with_server(answer, use)
    assert first == {"a": WorkerReading(100.0, 1, 2.0, 0.0, 0.0)}
    assert second == {}


def test_an_answer_that_is_old_says_nothing_about_busy_or_idle() -> None:
    answers = iter(["imagemill_worker_busy 0\n", ""])

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=next(answers))

    async def use(url: str) -> list[int]:
        async with aiohttp.ClientSession() as session:
            asked = Workers(session)
            await asked.read(at(a=url), {}, 100.0)
            return [len(await asked.read(at(a=url), {}, 102.0)), len(await asked.read({}, {}, 130.0))]

    assert with_server(answer, use) == [1, 0]


def test_only_so_many_workers_are_asked_in_a_tick_each_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "SCRAPES_PER_TICK", 2)
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.query["pod"])
        return web.Response(text="imagemill_worker_busy 0\n")

    async def use(url: str) -> None:
        pods = at(**{pod: f"{url}?pod={pod}" for pod in ("a", "b", "c", "d")})
        async with aiohttp.ClientSession() as session:
            reader = Workers(session)
            for now in (100.0, 102.0):
                await reader.read(pods, {}, now)

    with_server(answer, use)
    assert sorted(asked) == ["a", "b", "c", "d"]


async def silent(_: web.Request) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


def test_pods_that_do_not_answer_take_no_longer_than_a_round_and_keep_nobody_from_being_asked() -> None:
    async def use(url: str) -> tuple[float, list[int]]:
        pods = at(**{f"p{number}": url for number in range(400)})
        async with aiohttp.ClientSession() as session:
            reader, rounds = Workers(session, most_seconds=0.2), []
            begin = time.monotonic()
            for now in range(100, 120):
                await reader.read(pods, {}, float(now))
                rounds.append(sum(asked.at_seconds == now for asked in reader._asked.values()))
            return time.monotonic() - begin, rounds

    took, rounds = with_server(silent, use)
    assert took < 20 * 1.0
    assert all(0 < count < 100 for count in rounds), "32 at a time"
    assert sum(rounds) >= 400


def test_a_pod_that_never_answers_is_asked_less_and_less_often() -> None:
    asked: list[float] = []
    now = [0.0]

    async def answer(_: web.Request) -> web.Response:
        asked.append(now[0])
        return web.Response(status=503)

    async def use(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            reader = Workers(session)
            for now[0] in (100.0 + 2 * tick for tick in range(60)):
                await reader.read(at(a=url), {}, now[0])

    with_server(answer, use)
    assert [at - 100.0 for at in asked] == [0.0, 2.0, 6.0, 14.0, 30.0, 62.0]


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 5000)

    async def use(url: str) -> str:
        async with aiohttp.ClientSession() as session:
            return await get_text(session, url, 3.0, 4096)

    with pytest.raises(ValueError, match="longer than 4096 bytes"):
        with_server(answer, use)


def served(path: str, age_seconds: float = 0.0, wanted: str | None = None, sent: str = "") -> tuple[int, str]:
    """Ask an operator that has ticked once."""

    async def inside() -> tuple[int, str]:
        cluster = Cluster()
        actor = Actor(cluster, lambda: cluster.now)
        controller = Controller(
            Brokers(cluster), NoWorkers(cluster), BacklogReader(cluster), actor, 2.0, lambda: cluster.now
        )
        cluster.ready = 75
        await controller.tick(cluster.state())
        health = Health(lambda: age_seconds, 60.0, 0.0)
        app = make_app(controller, health, make_registry(controller, health, actor), wanted)
        async with TestClient(TestServer(app)) as client:
            answer = await client.get(path, headers={"Authorization": sent})
            return answer.status, await answer.text()

    return asyncio.run(inside())


def test_a_loop_that_does_not_come_round_is_not_alive() -> None:
    assert served("/healthz", 10.0)[0] == 200
    assert served("/healthz", 61.0)[0] == 503


def test_metrics_tell_what_pools_tell() -> None:
    text = served("/metrics")[1]
    assert 'imagemill_pool_desired_replicas{pool="gray"} 8.0' in text
    assert 'imagemill_pool_backlog_ready_messages{pool="gray"} 75.0' in text
    assert 'imagemill_pool_condition{pool="gray",type="AtMaximum"} 1.0' in text
    assert 'imagemill_pool_scale_changes_total{direction="out",pool="gray"} 1.0' in text


def test_a_pool_that_is_not_there_is_said_so() -> None:
    assert served("/pools/blue") == (404, '{"detail": "There is no pool blue."}')


@pytest.mark.parametrize(("asked", "points"), [("", 1), ("900", 1), ("86400", 1), ("0", None), ("x", 1), ("-1", 1)])
def test_so_much_history_is_told_as_is_asked_for(asked: str, points: int | None) -> None:
    status, text = served(f"/pools?history_seconds={asked}")
    (pool,) = json.loads(text)["pools"]
    assert status == 200
    assert (len(pool["history"]) if "history" in pool else None) == points


@pytest.mark.parametrize("path", ["/pools", "/pools/gray"])
def test_with_a_token_pools_are_told_to_those_alone_who_send_it(path: str) -> None:
    assert [served(path, wanted="t1", sent=sent)[0] for sent in ("", "Bearer t2", "t1", "Bearer t1")] == [
        401,
        401,
        401,
        200,
    ]
    assert served("/healthz", wanted="t1")[0] == served("/metrics", wanted="t1")[0] == 200


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_token_that_is_no_text_is_refused_as_any_other(method: str) -> None:
    async def inside() -> bytes:
        cluster = Cluster()
        health = Health(lambda: 0.0, 60.0, 0.0)
        registry = make_registry(cluster.controller, health, cluster.actor)
        steering = Steering(cluster_patch, cluster.state, 20)
        app = make_app(cluster.controller, health, registry, "t1", steering, "t2")
        async with TestServer(app) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            head = f"{method} /pools/gray HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n"
            writer.write(head.encode() + b"Authorization: Bearer \xff\xfe\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(inside()).startswith(b"HTTP/1.1 401 ")


async def cluster_patch(pool: str, change: Mapping[str, Any]) -> None:
    raise AssertionError(f"{pool} must not be changed")


def steered(
    body: str, sent: str = "Bearer steer", token: str | None = "steer", path: str = "/pools/gray", status: int = 0
) -> tuple[int, dict[str, Any], list[tuple[str, Mapping[str, Any]]]]:
    """Ask an operator for a change; return its answer and what it wrote. With a status the API server refuses."""
    written: list[tuple[str, Mapping[str, Any]]] = []

    async def patch(pool: str, change: Mapping[str, Any]) -> None:
        if status:
            raise KubeError(status, "PATCH workerpools: forbidden")
        written.append((pool, change))

    async def inside() -> tuple[int, dict[str, Any]]:
        cluster = Cluster()
        actor = Actor(cluster, lambda: cluster.now)
        controller = Controller(
            Brokers(cluster), NoWorkers(cluster), BacklogReader(cluster), actor, 2.0, lambda: cluster.now
        )
        health = Health(lambda: 0.0, 60.0, 0.0)
        registry = make_registry(controller, health, actor)
        app = make_app(controller, health, registry, None, Steering(patch, cluster.state, 20), token)
        async with TestClient(TestServer(app)) as client:
            answer = await client.patch(path, data=body, headers={"Authorization": sent})
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else {}

    return *asyncio.run(inside()), written


def test_a_pool_is_paused_and_bounded_in_its_object_and_nothing_else_is_touched() -> None:
    status, answer, written = steered('{"paused": true, "max_replicas": 12}')
    assert status == 200
    assert (answer["before"]["paused"], answer["after"]["paused"]) == (False, True)
    assert answer["after"]["max_replicas"] == 12
    change = {"spec": {"maxReplicas": 12}, "metadata": {"annotations": {"imagemill.dev/pause": "true"}}}
    assert written == [("gray", change)]
    assert steered('{"paused": false}')[2] == [("gray", {"metadata": {"annotations": {"imagemill.dev/pause": None}}})]


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"body": '{"max_replicas": 21}'}, 422, "at most 20 are allowed"),
        ({"body": "no JSON"}, 422, "must be JSON"),
        ({"body": '{"deployment": "other"}'}, 422, "cannot be changed here"),
        ({"body": '{"paused": true}', "path": "/pools/none"}, 404, "no pool none"),
        ({"body": '{"paused": true}', "sent": "Bearer other"}, 401, "IMAGEMILL_POOLS_STEER_TOKEN"),
        ({"body": '{"paused": true}', "sent": "Bearer None", "token": None}, 401, "IMAGEMILL_POOLS_STEER_TOKEN"),
        ({"body": '{"paused": true}', "sent": "Bearer ", "token": ""}, 401, "IMAGEMILL_POOLS_STEER_TOKEN"),
        ({"body": '{"paused": true}', "status": 403}, 503, "did not take it"),
        ({"body": "x" * 5000}, 413, ""),
    ],
)
def test_what_may_not_be_changed_is_not(asked: dict[str, Any], status: int, words: str) -> None:
    told, answer, written = steered(**asked)
    assert (told, written) == (status, [])
    assert words in answer.get("detail", "")
