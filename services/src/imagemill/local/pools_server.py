"""Tells the state of the pools as JSON on a local port, as the operator does in a cluster."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from imagemill_operator.policy import DAY_SECONDS, HOUR_SECONDS

States = Callable[[float], list[dict[str, Any]]]


class PoolsServer:
    """`GET /pools?history_seconds=` on a local port."""

    def __init__(self, port: int, states: States) -> None:
        handler = type("Handler", (_PoolsHandler,), {"states": staticmethod(states)})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/pools"
        threading.Thread(target=self._server.serve_forever, name="pools", daemon=True).start()

    def close(self) -> None:
        """Stops answering."""
        self._server.shutdown()
        self._server.server_close()


class _PoolsHandler(BaseHTTPRequestHandler):
    states: States
    timeout = 10

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/pools":
            asked = parse_qs(address.query).get("history_seconds", [""])[0]
            self._answer(200, {"pools": self.states(history_seconds(asked))})
        else:
            self._answer(404, {"error": "there is /pools"})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Being asked is no news."""


def history_seconds(text: str) -> float:
    """How much history a query asks for; an hour unless it says so in digits."""
    return min(float(text[:9]), float(DAY_SECONDS)) if text.isascii() and text.isdecimal() else float(HOUR_SECONDS)
