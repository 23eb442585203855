"""One program: settings, servers and parts. All programs start in one order, and close in its reverse."""

import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog
from pydantic import ValidationError

from imagemill import recipes
from imagemill.concurrency.loop import Loop
from imagemill.process import logs
from imagemill.process.health import Check, Health, HealthServer
from imagemill.process.stores import open_stores, wait_for_stores
from imagemill.settings import Settings
from imagemill.wire import declaring, topology
from imagemill.wire.activity import Activity
from imagemill.wire.broker import Broker, parameters_of

log = structlog.get_logger(__name__)
_GOODBYE_SECONDS = 5.0
_DATABASES_EVERY_SECONDS = 3600.0


class Part(Protocol):
    """What a program is made of, such as a Loop."""

    def start(self) -> None:
        """Begin."""

    def close(self, timeout_seconds: float) -> bool:
        """End in order; False when that takes too long."""


class Program:
    """Stores, broker and activity of one program; its consumers are added to `broker` before it is started."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        stopping: threading.Event,
        connection_name: str | None = None,
    ) -> None:
        self.settings, self.stopping, self._parts = settings, stopping, tuple[Part, ...]()
        self.stores = open_stores(settings)
        self._parameters = parameters_of(
            settings.amqp_url.get_secret_value(), f"{connection_name or name} {settings.instance}", settings.tls_ca_file
        )
        self._shared = topology.shared(settings, recipes.names(settings.recipes_file)) if settings.prepare else None
        self.broker = Broker(self._parameters, self.declare, settings.confirm_window, settings.confirm_timeout_seconds)
        self.activity = Activity(
            self.broker, name, settings.instance, settings.activity_flush_seconds, settings.activity_max_records
        )
        # Again and again, for the months that come.
        self.databases = Loop("databases", self._wait_for_stores, every_seconds=_DATABASES_EVERY_SECONDS)

    def run(self, *parts: Part, needs_stores: bool = True, **alive: Check) -> int:
        """Start, wait for the signal to end, and close; returns the exit code. `alive` are checks beside the loops."""
        couch = self.stores.couch if needs_stores else None
        checks = Health(self.broker, couch, alive=alive)
        health = HealthServer(self.settings.health_host, self.settings.health_port, checks)
        health.start()
        if needs_stores:
            self._wait_for_stores()
        self.start(*parts)
        self.stopping.wait()
        drained = self.close(self.settings.drain_seconds)
        health.close()
        return 0 if drained else 1

    def start(self, *parts: Part) -> None:
        """Start the parts in order, and then let messages come."""
        self._parts = parts
        for part in (self.activity, *parts):
            part.start()
        self.broker.start()

    def close(self, timeout_seconds: float) -> bool:
        """Stop consuming, close the parts in reverse order; False when they take longer than that together."""
        self.broker.stop_consuming()
        deadline = time.monotonic() + timeout_seconds
        drained = [part.close(max(0.0, deadline - time.monotonic())) for part in reversed(self._parts)]
        self.activity.close(_GOODBYE_SECONDS)
        self.broker.close(_GOODBYE_SECONDS)
        return all(drained)

    def declare(self) -> None:
        """Declare the topology which all programs share, if this program may; else see that it is there.

        Publishing to an exchange that is not there yet would cost the connection, again and again during an upgrade.
        """
        if self._shared:
            declaring.declare_at(self._parameters, self._shared)
        else:
            declaring.check_at(self._parameters)

    def absent_queues(self) -> set[str]:
        """Ask the broker which queues of the shared topology do not exist; none if this program may not declare it."""
        queues = self._shared.queues if self._shared else ()
        return declaring.absent_at(self._parameters, [queue.name for queue in queues])

    def _wait_for_stores(self) -> None:
        wait_for_stores(self.stores, self.settings, self.stopping)


def load_settings() -> Settings:
    """Read settings from the environment; exits with one sentence per setting which is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        for item in error.errors():
            name = "IMAGEMILL_" + "_".join(str(part) for part in item["loc"]).upper()
            print(f"error: setting {name}: {item['msg']} (it is {item['input']!r})", file=sys.stderr)
        sys.exit(2)


def run(name: str, main: Callable[[Settings, threading.Event], int]) -> None:
    """Run a program: settings, logs, signals, exit code."""
    settings = load_settings()
    logs.configure(settings.log_level, name, settings.instance)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    log.info("starting", program=name)
    code = main(settings, stopping)
    log.info("stopped", program=name, code=code)
    sys.exit(code)
