"""/healthz, /readyz and /metrics of the programs which are not web servers themselves."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], str | None]
_REQUEST_TIMEOUT_SECONDS = 10


class Health:
    """Named checks; each answers None when all is well, else a sentence. Not alive implies not ready."""

    def __init__(self, alive: Mapping[str, Check], ready: Mapping[str, Check]) -> None:
        self._alive, self._ready = alive, ready

    def problems(self, path: str) -> dict[str, str]:
        """What is wrong, by check."""
        checks = self._alive if path == "/healthz" else {**self._alive, **self._ready}
        answers = {name: check() for name, check in checks.items()}
        return {name: answer for name, answer in answers.items() if answer}


class HealthServer:
    """Serves them on a port of its own, in threads of its own."""

    def __init__(self, host: str, port: int, health: Health) -> None:
        handler = type("Handler", (_Handler,), {"health": health})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> "HealthServer":
        """Begins to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stops answering."""
        self._server.shutdown()
        self._server.server_close()


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
