"""`python -m imagemill.api`: the API in one gunicorn process with many threads."""

import resource
import sys
import threading
from pathlib import Path
from types import FrameType

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication

from imagemill import recipes
from imagemill.api.services import Services, build
from imagemill.api.serving.connection import ClientLimits
from imagemill.api.serving.worker import Worker
from imagemill.api.web.app import create_app
from imagemill.process import logs
from imagemill.process.health import Health, HealthServer
from imagemill.process.program import load_settings
from imagemill.recipes import RecipeError
from imagemill.settings import Settings

_KEEPALIVE_SECONDS = 30
_OTHER_DESCRIPTORS = 1000
log = structlog.get_logger(__name__)
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


class StreamingWorker(Worker):
    """Ends the event streams at once when told to stop: they would never end by themselves."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM. In a thread, because the interrupted code may hold the hub's lock."""
        threading.Thread(target=self.wsgi.extensions["imagemill"].hub.close, daemon=True).start()
        super().handle_exit(sig, frame)


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured by our settings alone."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self.limits = settings, limits_of(settings)
        self._services: Services | None = None
        self._health: HealthServer | None = None
        super().__init__()

    def load_config(self) -> None:
        """Several workers would each need a broker connection and a queue of their own: more pods do the same."""
        options = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": 1,
            "worker_class": StreamingWorker,
            # More than there may be: the worker makes room for new ones, instead of leaving them waiting.
            "worker_connections": self.limits.connections + 100,
            "threads": self._settings.api_threads,
            "timeout": 60,
            "graceful_timeout": max(1, int(self._settings.drain_seconds)),
            "keepalive": self.limits.keepalive_seconds,
            # It would wait for slow readers without end.
            "sendfile": False,
            "worker_tmp_dir": str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None,
            "control_socket_disable": True,
            "loglevel": "warning",
            "worker_exit": self._close_services,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def _close_services(self, _server: object, _worker: object) -> None:
        if self._services is not None:
            self._services.close()
        if self._health is not None:
            self._health.close()

    def load(self) -> Flask:
        """In the worker process: threads do not survive a fork."""
        services = build(self._settings)
        app = create_app(self._settings, services)
        # In threads of its own: it answers whatever the threads of requests wait for.
        self._health = HealthServer(self._settings.health_host, self._settings.health_port, health_of(services))
        self._health.start()
        services.start()
        # Only now: closing what never started would hide the error that kept it from starting.
        self._services = services
        return app


def main() -> None:
    """Runs until told to stop."""
    settings = load_settings()
    logs.configure(settings.log_level, "api", settings.instance)
    wrong = recipes_problem(settings)
    if wrong:
        print(f"error: {wrong}", file=sys.stderr)
        sys.exit(2)
    if not settings.needs_login:
        log.warning("no login is needed: whoever uses this machine may do everything", host=settings.host)
    raise_descriptor_limit(settings)
    Server(settings).run()


def raise_descriptor_limit(settings: Settings) -> None:
    """As many files as there may be connections: the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.api_connections + settings.api_event_streams + _OTHER_DESCRIPTORS
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def limits_of(settings: Settings) -> ClientLimits:
    """What clients may do to the server."""
    return ClientLimits(
        connections=settings.api_connections,
        slow_requests=min(settings.api_slow_requests, settings.api_threads // 2),
        request_seconds=settings.api_request_seconds,
        min_bytes_per_second=settings.api_min_bytes_per_second,
        keepalive_seconds=_KEEPALIVE_SECONDS,
        max_body_bytes=settings.max_request_bytes,
        # More than may be slow, so that others' bodies are read beside those; and some threads wait for no client.
        reading_requests=settings.api_threads * 3 // 4,
        received_bytes=settings.max_upload_memory_bytes // 4,
    )


def health_of(services: Services) -> Health:
    """What probes are told: ready are broker, database, and the databases that are made at the start."""
    return Health(services.broker, services.stores.couch, services.stores)


def recipes_problem(settings: Settings) -> str | None:
    """What is wrong with the recipes and the settings that name them, as a sentence."""
    try:
        known = recipes.load(settings.recipes_file)
    except RecipeError as error:
        return str(error)
    for name in (settings.default_recipe, *(recipe for pool in settings.pools.values() for recipe in pool)):
        if name != "*" and name not in known:
            return f"a setting names the recipe {name!r}; there are {', '.join(sorted(known))}"
    return None


if __name__ == "__main__":
    main()
