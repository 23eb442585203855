"""Children, worker processes and the scaler, with small programs in place of the true ones."""

import io
import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from imagemill_operator.policy import Backlog

from imagemill.local.actuator import WorkerActuator
from imagemill.local.child import ManagedProcess, pump
from imagemill.local.observing import BrokerEyes, WorkerReading, backlog, read_held, read_worker
from imagemill.local.plan import Process, worker
from imagemill.local.pools_server import PoolsServer
from imagemill.local.ports import free_ports
from imagemill.local.probe import not_ready
from imagemill.local.process import last_lines
from imagemill.local.scaler import Scaler, specs
from imagemill.local.servers import wait_until
from imagemill.local.supervisor import Stopping, Supervisor

PROGRAM = str(Path(__file__).with_name("standin_program.py"))
COMMON = {"IMAGEMILL_PORT": "1"}
TIMEOUT_SECONDS = 60


def command(_: Process) -> list[str]:
    return [sys.executable, PROGRAM]


@pytest.fixture
def actuator(tmp_path: Path) -> Iterator[WorkerActuator]:
    def launch(pool: str, slot: int) -> ManagedProcess:
        process = worker(pool, slot, dict(os.environ), COMMON, free_ports(1)[0])
        child = ManagedProcess(process, tmp_path / f"{process.name}.log", command)
        child.launch()
        return child

    made = WorkerActuator(launch, drain_seconds=TIMEOUT_SECONDS)
    yield made
    for child in list(made.children()):
        child.kill()


def settle(actuator: WorkerActuator, pool: str, count: int) -> None:
    def settled() -> bool:
        actuator.reconcile()
        there = [child for child in actuator.children() if f"-{pool}-" in child.process.name]
        return len(actuator.pids(pool)) == len(there) == count

    assert wait_until(settled, TIMEOUT_SECONDS), actuator.pids(pool)


def all_ready(actuator: WorkerActuator, pool: str) -> bool:
    return all(not_ready(view.process.ready_url) is None for view in actuator.workers(pool))


def test_workers_follow_what_is_wanted(actuator: WorkerActuator) -> None:
    actuator.scale("default", 3)
    settle(actuator, "default", 3)
    actuator.scale("default", 0)
    settle(actuator, "default", 0)


def test_idle_workers_go_first(actuator: WorkerActuator) -> None:
    actuator.scale("default", 3)
    settle(actuator, "default", 3)
    first, second, third = actuator.pids("default")
    actuator.scale("default", 1, idle=[first, second])
    settle(actuator, "default", 1)
    assert actuator.pids("default") == [third]


def test_killed_worker_comes_back(actuator: WorkerActuator) -> None:
    actuator.scale("default", 1)
    settle(actuator, "default", 1)
    (before,) = actuator.pids("default")
    os.kill(before, 9)
    assert wait_until(lambda: actuator.pids("default") == [], TIMEOUT_SECONDS)
    settle(actuator, "default", 1)
    assert actuator.pids("default") != [before]


def test_worker_that_keeps_crashing_is_said_to_the_policy(actuator: WorkerActuator, tmp_path: Path) -> None:
    assert actuator.blocked("default") is None
    actuator.scale("default", 1)
    settle(actuator, "default", 1)
    next(actuator.children()).crashes = 5
    assert actuator.blocked("default") == "1 worker keeps crashing"


def test_crash_is_told_once_and_the_reason_is_in_the_log(tmp_path: Path) -> None:
    crash = tmp_path / "crash"
    crash.touch()
    environment = {**os.environ, "CRASH_FILE": str(crash), "IMAGEMILL_HEALTH_PORT": str(free_ports(1)[0])}
    child = ManagedProcess(Process("writer", "", environment, 0), tmp_path / "writer.log", command)
    child.launch()
    assert wait_until(child.has_ended, TIMEOUT_SECONDS)
    assert child.crash() == "writer ended with exit code 3"
    assert child.crash() is None
    assert last_lines(child.log) == "the reason is in the log"
    crash.unlink()
    assert wait_until(child.relaunch_when_due, TIMEOUT_SECONDS)
    child.kill()


def test_log_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    pump(io.BytesIO(b"x" * 1_000_000), log, limit_bytes=200_000)
    assert log.stat().st_size <= 200_000
    assert {path.name for path in tmp_path.iterdir()} == {"a.log", "a.log.1"}


def test_stop_ends_stubborn_programs_by_force(tmp_path: Path, actuator: WorkerActuator) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(300)"
    )
    child = ManagedProcess(
        Process("stubborn", "", dict(os.environ), 0), tmp_path / "log", lambda _: [sys.executable, "-c", stubborn]
    )
    supervisor = Supervisor([child], actuator, Stopping())
    supervisor.start()
    assert wait_until(lambda: last_lines(child.log) == "up", TIMEOUT_SECONDS)
    supervisor.stop(0.3)
    assert child.has_ended()


def test_metrics_of_a_worker_are_read() -> None:
    text = (
        "imagemill_worker_busy 2.0\nimagemill_worker_threads 4.0\n"
        'imagemill_worker_image_seconds_count{recipe="a"} 3.0\nimagemill_worker_image_seconds_count{recipe="b"} 4.0\n'
        'imagemill_worker_image_seconds_sum{recipe="a"} 1.5\n'
    )
    assert read_worker(text) == WorkerReading(busy=2, threads=4.0, images=7.0, seconds=1.5)
    assert read_worker(None) is None
    assert read_worker("nothing of it 1") is None


def test_backlog_is_unknown_when_the_broker_does_not_answer() -> None:
    working = [WorkerReading(busy=2, threads=2, images=0, seconds=0)]
    assert backlog(None, 5, working) is None
    assert backlog(0, None, working) == Backlog(0, 2)
    assert backlog(7, 5, working) == Backlog(7, 5)


def test_only_the_pool_for_all_recipes_keeps_a_worker() -> None:
    made = specs({"default": ["*"], "heavy": ["denoise"]}, 4, 10)
    assert {name: spec.min_replicas for name, spec in made.items()} == {"default": 1, "heavy": 0}


class Broker(BrokerEyes):
    def __init__(self, waiting: dict[str, int | None]) -> None:
        self.waiting = waiting

    def ready(self, pool: str) -> int | None:
        return self.waiting[pool]

    def unacked(self) -> dict[str, int]:
        return {}


def test_scaler_starts_workers_for_a_burst_and_holds_them_while_the_broker_is_silent(actuator: WorkerActuator) -> None:
    broker = Broker({"default": 0, "heavy": 500})
    scaler = Scaler(specs({"default": ["*"], "heavy": ["denoise"]}, 3, 10), actuator, broker)
    actuator.reconcile()
    assert wait_until(lambda: all_ready(actuator, "default"), TIMEOUT_SECONDS)
    scaler.tick(time.time())
    settle(actuator, "heavy", 2)
    assert len(actuator.pids("default")) == 1
    broker.waiting["heavy"] = None
    for seconds in range(2, 200, 2):
        scaler.tick(time.time() + seconds)
    assert actuator.wanted("heavy") == 2
    broker.waiting["heavy"] = 0
    assert wait_until(lambda: all_ready(actuator, "heavy"), TIMEOUT_SECONDS)
    for seconds in range(200, 400, 2):
        scaler.tick(time.time() + seconds)
    settle(actuator, "heavy", 0)


def test_what_the_api_holds_back_is_work_too(actuator: WorkerActuator) -> None:
    held = {"heavy": 496}
    broker = Broker({"default": 0, "heavy": 4})
    scaler = Scaler(specs({"default": ["*"], "heavy": ["denoise"]}, 3, 10), actuator, broker, lambda: held)
    scaler.tick(time.time())
    (heavy,) = (state for state in scaler.states() if state["name"] == "heavy")
    assert heavy["backlog"]["ready"] == 500


def test_held_jobs_are_read_by_pool_and_silence_holds_none() -> None:
    text = 'imagemill_held_jobs{pool="default"} 7.0\nimagemill_held_jobs{pool="heavy"} 0.0\nimagemill_other 3\n'
    assert read_held(text) == {"default": 7, "heavy": 0}
    assert read_held(None) == {}


def test_state_of_the_pools_is_served_as_the_operator_serves_it(actuator: WorkerActuator) -> None:
    scaler = Scaler(specs({"default": ["*"]}, 3, 10), actuator, Broker({"default": 4}))
    scaler.tick(time.time())
    server = PoolsServer(0, scaler.states)
    try:
        with urllib.request.urlopen(server.url, timeout=TIMEOUT_SECONDS) as response:
            (pool,) = json.load(response)["pools"]
        with urllib.request.urlopen(f"{server.url}?history_seconds=0", timeout=TIMEOUT_SECONDS) as response:
            (without,) = json.load(response)["pools"]
    finally:
        server.close()
    assert len(pool["history"]) == 1
    assert "history" not in without
    assert (pool["name"], pool["queues"], pool["backlog"]["ready"]) == ("default", ["work.default"], 4)
    assert "4 waiting" in pool["reason"]


def test_a_paused_pool_keeps_its_workers_and_only_the_token_steers(actuator: WorkerActuator) -> None:
    scaler = Scaler(specs({"default": ["*"]}, 3, 10), actuator, Broker({"default": 400}))
    server = PoolsServer(0, scaler.states, scaler.steer, "a token")

    def change(body: object, token: str = "a token", pool: str = "default") -> tuple[int, dict[str, Any]]:
        answer = requests.patch(
            f"{server.url}/{pool}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_SECONDS
        )
        return answer.status_code, answer.json()

    try:
        assert [change({"paused": True}, token)[0] for token in ("", "another")] == [401, 401]
        assert change({"paused": True}, pool="none")[0] == 404
        assert change({"max_replicas": 4}) == (422, {"detail": "max_replicas is 4, but here at most 3 are allowed."})
        assert change({"x" * 5000: 1})[0] == 422
        before, after = ({"paused": paused, "min_replicas": 1, "max_replicas": 3} for paused in (False, True))
        assert change({"paused": True}) == (200, {"before": before, "after": after})
        scaler.tick(time.time())
        assert actuator.wanted("default") == 1
        assert scaler.states()[0]["paused"]
        change({"paused": False, "max_replicas": 2})
        scaler.tick(time.time() + 2)
        assert actuator.wanted("default") == 2
    finally:
        server.close()


def test_without_a_token_nobody_steers(actuator: WorkerActuator) -> None:
    scaler = Scaler(specs({"default": ["*"]}, 3, 10), actuator, Broker({"default": 4}))
    server = PoolsServer(0, scaler.states, scaler.steer)
    try:
        assert (
            requests.patch(
                f"{server.url}/default", json={}, headers={"Authorization": "Bearer "}, timeout=9
            ).status_code
            == 401
        )
    finally:
        server.close()
