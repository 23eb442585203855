"""A server that answers what a test wants, and how a command against it ended."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def told(self, event: str) -> list[dict[str, Any]]:
        """Those of the JSON lines."""
        return [line for line in map(json.loads, self.out.splitlines()) if line["event"] == event]


Answer = tuple[int, dict[str, str], bytes]
RECIPES = {"recipes": [{"name": "gray"}, {"name": "webp"}], "default": "gray"}


@dataclass
class FakeApi:
    """Answers what a test wants; remembers what it was asked."""

    url: str = ""
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    logins: dict[str, str | None] = field(default_factory=dict)
    """What each path was last asked with, as `Authorization`."""
    answers: dict[str, Callable[[int, bytes], Answer]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def on(self, method_and_path: str, answer: Callable[[int, bytes], Answer] | Answer) -> None:
        """`answer` may be a function of the request's number (from 1) and body."""
        self.answers[method_and_path] = answer if callable(answer) else lambda _number, _body: answer

    def times(self, method_and_path: str) -> int:
        return sum(f"{method} {path}" == method_and_path for method, path, _ in self.asked)

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        path = path.partition("?")[0]
        with self.lock:
            self.asked.append((method, path, body))
            number = self.times(f"{method} {path}")
        found = self.answers.get(f"{method} {path}")
        return found(number, body) if found else reply(404, {"code": "not-found", "detail": "There is nothing here."})


def reply(status: int, body: Any, **headers: str) -> Answer:
    """A JSON answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "application/json", **named}, json.dumps(body).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    api: FakeApi

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.api.logins[self.path.partition("?")[0]] = self.headers.get("Authorization")
        status, headers, data = self.api.answer(self.command, self.path, body)
        if status == 0:  # the connection breaks
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET  # noqa: N815 - the standard library's name

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served() -> Iterator[FakeApi]:
    """The fake on a free port."""
    api = FakeApi()
    api.on("GET /api/v1/recipes", reply(200, RECIPES))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
