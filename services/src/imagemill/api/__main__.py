"""`python -m imagemill.api`: the API in one gunicorn process with many threads."""

import sys
import threading
from pathlib import Path
from types import FrameType

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.http.message import Message
from gunicorn.workers.gthread import ThreadWorker

from imagemill import recipes
from imagemill.api.services import Services, build
from imagemill.api.web.app import create_app
from imagemill.process import logs
from imagemill.process.health import Health, HealthServer
from imagemill.process.program import load_settings
from imagemill.recipes import RecipeError
from imagemill.settings import Settings

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108


class Worker(ThreadWorker):  # type: ignore[misc]
    """Ends the event streams at once when told to stop: they would never end by themselves."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM. In a thread, because the interrupted code may hold the hub's lock."""
        threading.Thread(target=self.wsgi.extensions["imagemill"].hub.close, daemon=True).start()
        super().handle_exit(sig, frame)


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured by our settings alone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._services: Services | None = None
        self._health: HealthServer | None = None
        super().__init__()

    def load_config(self) -> None:
        """Several workers would each need a broker connection and a queue of their own: more pods do the same."""
        options = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": 1,
            "worker_class": Worker,
            "threads": self._settings.api_threads,
            "timeout": 60,
            "graceful_timeout": max(1, int(self._settings.drain_seconds)),
            "keepalive": 30,
            "worker_tmp_dir": str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None,
            "control_socket_disable": True,
            "loglevel": "warning",
            "pre_request": self._close_after_too_much,
            "worker_exit": self._close_services,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def _close_after_too_much(self, _server: object, message: Message) -> None:
        # Such a body is refused unread; without this the answer would promise that the connection can be used again.
        given = dict(message.headers).get("CONTENT-LENGTH", "")
        if given.isdecimal() and int(given) > self._settings.max_request_bytes:
            message.force_close()

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
    Server(settings).run()


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
