"""Tells the state of the pools as JSON on a local port, and lets who has the token steer them, as the operator does."""

import hmac
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from imagemill_operator.policy import DAY_SECONDS, HOUR_SECONDS, Change, parse_change

States = Callable[[float], list[dict[str, Any]]]
Steer = Callable[[str, Change], tuple[dict[str, Any], dict[str, Any]] | None]
_MAX_BODY_BYTES = 4096


class PoolsServer:
    """`GET /pools?history_seconds=`, and with a token `PATCH /pools/NAME`, on a local port."""

    def __init__(self, port: int, states: States, steer: Steer | None = None, token: str = "") -> None:
        facts = {"states": staticmethod(states), "steer": staticmethod(steer) if steer else None, "token": token}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_PoolsHandler,), facts))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/pools"
        threading.Thread(target=self._server.serve_forever, name="pools", daemon=True).start()

    def close(self) -> None:
        """Stops answering."""
        self._server.shutdown()
        self._server.server_close()


class _PoolsHandler(BaseHTTPRequestHandler):
    states: States
    steer: Steer | None
    token: str
    timeout = 10

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/pools":
            asked = parse_qs(address.query).get("history_seconds", [""])[0]
            self._answer(200, {"pools": self.states(history_seconds(asked))})
        else:
            self._answer(404, {"detail": "There is /pools."})

    def do_PATCH(self) -> None:
        name = unquote(urlsplit(self.path).path.removeprefix("/pools/"))
        sent = self.headers.get("Authorization", "").encode()
        # Every process of this machine reaches this port, and not every one is its owner's.
        if self.steer is None or not self.token or not hmac.compare_digest(sent, f"Bearer {self.token}".encode()):
            self._answer(401, {"detail": "Pools are changed by who sends the token for it."})
            return
        try:
            done = self.steer(name, parse_change(self._body()))
        except ValueError as error:
            self._answer(422, {"detail": str(error)})
            return
        if done is None:
            self._answer(404, {"detail": f"There is no pool {name[:100]}."})
        else:
            self._answer(200, {"before": done[0], "after": done[1]})

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
            raise ValueError(f"The body must be JSON of at most {_MAX_BODY_BYTES} bytes.")
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise ValueError("The body must be JSON.") from None

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
    is_number = text.isascii() and text.isdecimal()
    return min(float(text[:9]), float(DAY_SECONDS)) if is_number else float(HOUR_SECONDS)
