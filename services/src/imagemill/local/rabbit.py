"""A private RabbitMQ broker: own ports, own node name, own cookie, nothing shared with the machine's broker."""

import os
import secrets
import subprocess
from dataclasses import astuple, dataclass
from pathlib import Path

import pika
from pika.exceptions import AMQPError

from imagemill.local.ports import accepts, free_ports, holder, is_free
from imagemill.local.process import kill_child, private_file, start_child, stop_child
from imagemill.local.servers import USER, LocalError, LocalServer, program, wait_until

# Debian's /usr/sbin/rabbitmq-server runs as the user rabbitmq only; this one runs as whoever calls it.
_EXECUTABLES = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server")
_PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus", "rabbitmq_consistent_hash_exchange")
_NODE = "imagemill@localhost"


@dataclass(frozen=True)
class RabbitPorts:
    """All on 127.0.0.1. `distribution` and `epmd` are Erlang's own: tools reach the node through them."""

    amqp: int
    management: int
    metrics: int
    distribution: int
    epmd: int

    @classmethod
    def free(cls) -> "RabbitPorts":
        """Five that nothing listens on."""
        return cls(*free_ports(5))

    @classmethod
    def fixed(cls, amqp: int, management: int, metrics: int) -> "RabbitPorts":
        """The three that people use as wanted, free ones for the rest."""
        return cls(amqp, management, metrics, *free_ports(2))


def rabbitmq_executable() -> str:
    """The broker's start script; LocalError when RabbitMQ is not installed."""
    return program(
        "rabbitmq-server",
        "RabbitMQ is not installed: run `apt-get install rabbitmq-server`, or give a broker's address in AMQP_URL.",
        rather=_EXECUTABLES,
    )


WAL_BYTES = 64 * 1024 * 1024


class RabbitServer(LocalServer):
    """A broker in `folder`; a second one on the same folder finds its predecessor's queues and password."""

    name = "RabbitMQ"

    def __init__(self, folder: Path, ports: RabbitPorts | None = None, *, schedulers: int = 2) -> None:
        super().__init__(folder)
        self.ports = ports or RabbitPorts.free()
        self.schedulers = schedulers
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def amqp_url(self) -> str:
        """The default virtual host's address, with user and password."""
        return f"amqp://{self.user}:{self.password}@127.0.0.1:{self.ports.amqp}/%2F"

    @property
    def management_url(self) -> str:
        """The management API's address, without user and password."""
        return f"http://127.0.0.1:{self.ports.management}"

    @property
    def metrics_url(self) -> str:
        """Prometheus' endpoint; `/metrics/detailed` is below it too."""
        return f"http://127.0.0.1:{self.ports.metrics}/metrics"

    def stop(self) -> None:
        """Orderly; RabbitMQ takes some six seconds for it as soon as its management plugin is on."""
        super().stop()
        if self._epmd is not None:
            stop_child(self._epmd, 5)
            self._epmd = None

    def kill(self) -> None:
        """SIGKILL to the broker and its port mapper."""
        super().kill()
        if self._epmd is not None:
            kill_child(self._epmd)
            self._epmd = None

    def _launch(self) -> "subprocess.Popen[bytes]":
        executable = rabbitmq_executable()
        self._refuse_taken_ports()
        self._write_configuration()
        environment = _environment(self.folder, self.ports, self.schedulers)
        self._start_epmd(environment)
        with self.console.open("wb") as output:
            return start_child([executable], environment=environment, output=output, folder=self.folder)

    def _refuse_taken_ports(self) -> None:
        for port in astuple(self.ports):
            if not is_free(port):
                who = holder(port) or "another program"
                raise LocalError(f"Port {port}, which RabbitMQ needs, is taken by {who}.")

    def _write_configuration(self) -> None:
        private_file(self.folder / "rabbitmq.conf", _configuration(self.ports, self.password))
        private_file(self.folder / "enabled_plugins", f"[{','.join(_PLUGINS)}].\n")
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            private_file(cookie, secrets.token_hex(20)).chmod(0o400)

    def _start_epmd(self, environment: dict[str, str]) -> None:
        """Erlang's port mapper, as a child: left to itself RabbitMQ would start one that outlives it."""
        epmd = program("epmd", "Erlang's `epmd`, a part of every RabbitMQ installation, is not on the PATH.")
        command = [epmd, "-port", str(self.ports.epmd), "-address", "127.0.0.1"]
        self._epmd = start_child(command, environment=environment, output=subprocess.DEVNULL)
        if not wait_until(lambda: accepts(self.ports.epmd), 30):
            raise LocalError(f"Erlang's port mapper epmd did not answer on port {self.ports.epmd}.")

    def _answers(self) -> bool:
        if not accepts(self.ports.amqp):
            return False
        parameters = pika.URLParameters(f"{self.amqp_url}?socket_timeout=5&stack_timeout=5&connection_attempts=1")
        try:
            pika.BlockingConnection(parameters).close()
        except (AMQPError, OSError):
            return False
        return True


def _configuration(ports: RabbitPorts, password: str) -> str:
    settings = {
        "listeners.tcp.local": f"127.0.0.1:{ports.amqp}",
        "management.tcp.ip": "127.0.0.1",
        "management.tcp.port": ports.management,
        "prometheus.tcp.ip": "127.0.0.1",
        "prometheus.tcp.port": ports.metrics,
        "default_user": USER,
        "default_pass": password,
        # What quorum queues have dropped stays in memory and on disk until this log is full (512 MiB by default).
        "raft.wal_max_size_bytes": WAL_BYTES,
        "log.file": "rabbitmq.log",
        "log.file.level": "info",
        "log.file.rotation.size": 5_000_000,
        "log.file.rotation.count": 1,
        "log.console": "true",
        "log.console.level": "error",
    }
    return "".join(f"{key} = {value}\n" for key, value in settings.items())


def _environment(folder: Path, ports: RabbitPorts, schedulers: int) -> dict[str, str]:
    """Nothing of the caller's RABBITMQ_* or ERL_* settings: they are meant for the machine's broker."""
    loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(folder),  # where Erlang looks for the cookie
        "ERL_EPMD_PORT": str(ports.epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODENAME": _NODE,
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MAX_NUMBER_OF_PROCESSES": "65536",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{loopback} +S {schedulers}:{schedulers}",
        # The start script then becomes the broker, instead of standing between us and it as a shell.
        "RUNNING_UNDER_SYSTEMD": "true",
    }
