"""A receiver of webhooks on loopback; it answers as it is told to, and keeps what it got."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """`answers`: status codes to come, then 204. `hold`: answers wait until it is set."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)

    def events(self) -> list[dict[str, Any]]:
        """The events of outcomes, in the order in which they came."""
        return [json.loads(body) for headers, body in self.got if "Imagemill-Alert" not in headers]

    def event_ids(self) -> list[str]:
        return [str(event["id"]) for event in self.events()]

    def numbers(self) -> list[str]:
        return [headers["Imagemill-Alert"] for headers, _ in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((dict(self.headers.items()), body))
            receiver.arrived.set()
            receiver.hold.wait(30)
            self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/s3cr3t-token"
    try:
        yield receiver
    finally:
        receiver.hold.set()
        server.shutdown()
        server.server_close()
