"""/healthz, /readyz and /metrics of every program, on a port of their own."""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from imagemill.concurrency import loop
from imagemill.process.stores import Stores
from imagemill.store.couch import Couch, StoreUnavailable
from imagemill.wire.broker import Broker

log = structlog.get_logger(__name__)
Check = Callable[[], str | None]
_REQUEST_TIMEOUT_SECONDS = 10
_STUCK_SECONDS = 60
_REMEMBERED_SECONDS = 2.0


class Health:
    """Named checks; each answers None when all is well, else a sentence. Not alive implies not ready.

    Alive are the broker's thread, every Loop of the program, and `alive`. `couch` is given by programs that cannot do
    without it, `stores` by those that answer requests while the databases are made.
    """

    def __init__(
        self,
        broker: Broker,
        couch: Couch | None = None,
        stores: Stores | None = None,
        alive: Mapping[str, Check] = MappingProxyType({}),
    ) -> None:
        self._alive: dict[str, Check] = {"broker": partial(_broker_thread, broker), **alive}
        ready: dict[str, Check] = {"broker": lambda: None if broker.ready else "not connected to the broker"}
        if couch:
            ready["couchdb"] = _couch_ready(couch)
        if stores:
            ready["databases"] = lambda: None if stores.there.is_set() else "the databases are not there yet"
        self._ready = ready

    def problems(self, path: str) -> dict[str, str]:
        """Collect what is wrong, by check."""
        checks = self._alive if path == "/healthz" else {**self._alive, **self._ready}
        answers = {name: check() for name, check in checks.items()}
        return loop.problems() | {name: answer for name, answer in answers.items() if answer}


def _broker_thread(broker: Broker) -> str | None:
    return None if broker.heartbeat_age_seconds < _STUCK_SECONDS else "the broker connection's thread is stuck"


def _couch_ready(couch: Couch) -> Check:
    """Ask at most every two seconds."""
    last: list[tuple[float, str | None]] = [(float("-inf"), None)]

    def check() -> str | None:
        asked, answer = last[0]
        if time.monotonic() - asked > _REMEMBERED_SECONDS:
            answer = _ping(couch)
            last[0] = (time.monotonic(), answer)
        return answer

    return check


def _ping(couch: Couch) -> str | None:
    try:
        couch.ping()
    except StoreUnavailable as error:
        return str(error)
    return None


class HealthServer:
    """Serves them, and the metrics, on a port and in threads of its own."""

    def __init__(self, host: str, port: int, health: Health) -> None:
        handler = type("Handler", (_Handler,), {"health": health})
        self._server = _Server((host, port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        host, port = self._server.server_address[:2]
        log.info("health", url=f"http://{host!s}:{port}/readyz")

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A probe that did not wait for its answer, as when CouchDB takes long, is no news either."""
        if not isinstance(sys.exception(), OSError):
            log.error("a probe could not be answered", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    health: Health
    timeout = _REQUEST_TIMEOUT_SECONDS

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
        elif self.path in ("/healthz", "/readyz"):
            problems = self.health.problems(self.path)
            body = json.dumps({"status": "failing" if problems else "ok", "problems": problems}).encode()
            self._answer(503 if problems else 200, "application/json", body)
        else:
            self._answer(404, "text/plain", b"there are /healthz, /readyz and /metrics\n")

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes come every few seconds and are no news."""
