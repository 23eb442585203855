"""500 WorkerPools against a fake API: ``python -m bench.many_pools [POOLS]`` prints a tick's time and the memory.

The API and the broker are stand-ins on loopback in this process, the operator is a process of its own as in a pod,
logged in with a token as from a service account. Each pool has a Deployment with pods that are scraped every tick; a
tenth of the pools change their backlog all the time.
"""

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.cluster.fake_kube import FakeKube

PODS_PER_POOL = 2
START_SECONDS = 90.0
CHILD = """
import os
from imagemill_operator.lean import kopf
from imagemill_operator.__main__ import run
from imagemill_operator.settings import Settings
run(Settings.from_env(), lambda **_: kopf.ConnectionInfo(server=os.environ["KUBE_URL"], token="bench"))
"""


class FakeBroker:
    """RabbitMQ's ``/metrics/detailed`` and the workers' ``/metrics``, for queues called work.<n>."""

    def __init__(self, pools: int) -> None:
        self.pools, self.dice, self.url, self.port = pools, random.Random(1), "", 0

    async def detailed(self, _: web.Request) -> web.Response:
        """Two numbers and a count of consumers for each queue."""
        lines = []
        for number in range(self.pools):
            labels = f'{{vhost="/",queue="work.{number}"}}'
            ready = self.dice.randrange(0, 20) if number % 10 == 0 else 0
            lines.append(f"rabbitmq_detailed_queue_messages_ready{labels} {ready}")
            lines.append(f"rabbitmq_detailed_queue_messages_unacked{labels} 1")
            lines.append(f"rabbitmq_detailed_queue_consumers{labels} {PODS_PER_POOL}")
        return web.Response(text="\n".join(lines) + "\n")

    async def worker(self, _: web.Request) -> web.Response:
        """One busy thread."""
        done = int(time.time())
        text = (
            "imagemill_worker_busy 1\nimagemill_worker_threads 2\n"
            f'imagemill_worker_image_seconds_count{{recipe="gray"}} {done}\n'
            f'imagemill_worker_image_seconds_sum{{recipe="gray"}} {done * 0.1}\n'
        )
        return web.Response(text=text)

    @contextmanager
    def running(self) -> Iterator["FakeBroker"]:
        """Serve on a free port, in a thread."""
        started, stop = threading.Event(), asyncio.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(started, stop)), name="fake-broker")
        thread.start()
        started.wait(10)
        try:
            yield self
        finally:
            self.loop.call_soon_threadsafe(stop.set)
            thread.join(10)

    async def _serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        app = web.Application()
        app.add_routes([web.get("/metrics/detailed", self.detailed), web.get("/metrics", self.worker)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.loop, self.port = asyncio.get_running_loop(), runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"
        started.set()
        await stop.wait()
        await runner.cleanup()


def fill(kube: FakeKube, pools: int, worker_port: int) -> None:
    """Create pools, Deployments and pods before anybody watches."""
    for number in range(pools):
        kube.add_deployment(f"worker-{number}", PODS_PER_POOL)
        spec = {
            "deployment": f"worker-{number}",
            "queues": [f"work.{number}"],
            "minReplicas": PODS_PER_POOL,
            "maxReplicas": PODS_PER_POOL,
            "maxWaitSeconds": 10,
            "workerMetrics": {"port": worker_port},
        }
        kube.add_pool(f"pool-{number}", spec)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def operator(kube: FakeKube, broker: FakeBroker) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the operator as a process."""
    port = free_port()
    env = {
        "PATH": os.environ["PATH"],
        "KUBE_URL": kube.url,
        "IMAGEMILL_NAMESPACE": "default",
        "IMAGEMILL_BROKER_METRICS_URL": broker.url,
        "IMAGEMILL_LISTEN_HOST": "127.0.0.1",
        "IMAGEMILL_LISTEN_PORT": str(port),
        "IMAGEMILL_LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen([sys.executable, "-c", CHILD], env=env)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def ask(url: str) -> Any:
    """Return JSON, or text as it is; None while nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    return json.loads(text) if text.startswith("{") else text


def metric(text: str, name: str) -> float:
    """Return one metric without labels."""
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


def memory_mib(process: subprocess.Popen[bytes], field: str) -> float:
    """Resident memory now (VmRSS) or at its highest (VmHWM)."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """CPU time used so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for_all(url: str, pools: int) -> float:
    """Wait until every pool was decided on; return how long that took."""
    begin = time.monotonic()
    while time.monotonic() - begin < START_SECONDS:
        answer = ask(f"{url}/pools")
        if answer and sum("desired_replicas" in pool for pool in answer["pools"]) == pools:
            return time.monotonic() - begin
        time.sleep(0.2)
    raise SystemExit(f"The operator had not decided on {pools} pools after {START_SECONDS:g} s.")


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.many_pools", description=__doc__)
    parser.add_argument("pools", nargs="?", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to watch the operator tick")
    options = parser.parse_args(arguments)
    broker, kube = FakeBroker(options.pools), FakeKube()
    with broker.running():
        fill(kube, options.pools, broker.port)
        with kube.running(), operator(kube, broker) as (process, url):
            first = wait_for_all(url, options.pools)
            report(process, url, options.pools, first, options.seconds)


def report(process: subprocess.Popen[bytes], url: str, pools: int, first: float, seconds: float) -> None:
    """Sample ticks for a while."""
    ticks: list[float] = []
    begin, cpu = time.monotonic(), cpu_seconds(process)
    while time.monotonic() - begin < seconds:
        time.sleep(1.0)
        ticks.append(metric(str(ask(f"{url}/metrics")), "imagemill_operator_tick_seconds"))
    share = (cpu_seconds(process) - cpu) / (time.monotonic() - begin)
    print(f"{pools} pools, {pools * PODS_PER_POOL} pods asked for their metrics, a tick every 2 s")
    print(f"all decided {first:.1f} s after the start")
    print(f"one tick: median {statistics.median(ticks):.2f} s, longest {max(ticks):.2f} s; {share:.0%} of one CPU")
    now, most = (memory_mib(process, field) for field in ("VmRSS", "VmHWM"))
    print(f"resident memory: {now:.0f} MiB, at its highest {most:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
