"""A private RabbitMQ on free ports for tests."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
START_SECONDS = 120.0
_kept: list[socket.socket] = []


@dataclass(frozen=True)
class Rabbit:
    """Where it listens."""

    amqp_url: str
    metrics_url: str
    management_url: str


def available() -> bool:
    return Path(SERVER).exists() or shutil.which("rabbitmq-server") is not None


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, all different, and kept: nobody else gets them, for a connection or otherwise.

    A server that sets SO_REUSEADDR, as servers do, may listen beside the socket which keeps its port.
    """
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _kept.extend(sockets)
    return [one.getsockname()[1] for one in sockets]


@contextmanager
def running(folder: Path) -> Iterator[Rabbit]:
    """Start a broker with management and metrics, and stop it with everything it started."""
    amqp, dist, management, metrics, epmd = free_ports(5)
    (folder / "plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n")
    settings = {
        "listeners.tcp.1": f"127.0.0.1:{amqp}",
        "management.tcp.ip": "127.0.0.1",
        "management.tcp.port": management,
        "prometheus.tcp.ip": "127.0.0.1",
        "prometheus.tcp.port": metrics,
        "collect_statistics_interval": 1000,
    }
    (folder / "rabbitmq.conf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"operator{amqp}@localhost",
        "RABBITMQ_NODE_PORT": str(amqp),
        "RABBITMQ_DIST_PORT": str(dist),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "ERL_EPMD_PORT": str(epmd),
    }
    with (folder / "out").open("wb") as out:
        server = subprocess.Popen([SERVER], env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        _wait(server, f"http://127.0.0.1:{metrics}/metrics", folder)
        yield Rabbit(
            f"amqp://guest:guest@127.0.0.1:{amqp}/%2F",
            f"http://127.0.0.1:{metrics}",
            f"http://guest:guest@127.0.0.1:{management}",
        )
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(30)
        _stop_epmd(epmd)


def _wait(server: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"RabbitMQ did not start: {(folder / 'out').read_text()[-2000:]}")


def _stop_epmd(port: int) -> None:
    """The port mapper outlives the broker; ours serves nobody else."""
    epmd = shutil.which("epmd") or next((str(path) for path in Path("/usr/lib/erlang").glob("erts-*/bin/epmd")), None)
    if epmd is not None:
        command = [epmd, "-port", str(port), "-kill"]
        subprocess.run(command, capture_output=True, timeout=60, check=False)
