"""A CouchDB or S3 whose answers go wrong on demand: an HTTP proxy between a program and the server."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_STATUSES = {"error": 500, "forbid": 403}
_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive")


@dataclass
class Fault:
    """What goes wrong: `refuse` (hang up), `error` (500) or `forbid` (403) before it is forwarded; `lose` the answer;
    `weaken` it: fewer of a cluster's nodes took it than must (202); `late`: it is held up; `after`: it is done, and
    then something happens. `matches` gets method, path and body. `times` counts down; `met` counts how often it was.
    """

    kind: str
    matches: Callable[[str, str, bytes], bool]
    times: int = 1
    late_seconds: float = 0.0
    after: Callable[[], None] = lambda: None
    met: int = 0


class FaultyProxy:
    """Forwards everything; `faults` are tried in their order for each request."""

    def __init__(self, upstream: str) -> None:
        self.faults: list[Fault] = []
        self.clock_ahead_seconds = 0.0
        self._lock = threading.Lock()
        parts = urlsplit(upstream)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def _forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = outer.fault_of(self.command, self.path, body)
                if fault is not None and fault.late_seconds:
                    time.sleep(fault.late_seconds)
                if fault is not None and fault.kind == "refuse":
                    self.close_connection = True
                    return
                if fault is not None and fault.kind in _STATUSES:
                    self._answer(_STATUSES[fault.kind], [], b'{"error":"a fault","reason":"a fault"}')
                    return
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
                with closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)) as connection:
                    connection.request(self.command, self.path, body, headers)
                    answer = connection.getresponse()
                    content = answer.read()
                if fault is not None and fault.kind == "lose":
                    self.close_connection = True
                    return
                if fault is not None and fault.kind == "after":
                    fault.after()
                status = answer.status
                if fault is not None and fault.kind == "weaken":
                    status, content = 202, content.replace(b'"ok":true', b'"ok":true,"accepted":true')
                self._answer(status, answer.getheaders(), content)

            def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() == "date":
                        self.send_header(name, formatdate(time.time() + outer.clock_ahead_seconds, usegmt=True))
                    elif name.lower() not in _HOP_BY_HOP:
                        self.send_header(name, value)
                length = dict(headers).get("Content-Length", "0") if self.command == "HEAD" else len(content)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                if self.command != "HEAD":
                    with suppress(ConnectionError):  # a client that did not wait for a late answer
                        self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        for method in ("GET", "PUT", "POST", "DELETE", "HEAD"):
            setattr(Handler, f"do_{method}", Handler._forward)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = upstream.replace(f":{parts.port}", f":{self._server.server_address[1]}")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def fault_of(self, method: str, path: str, body: bytes) -> Fault | None:
        """The first fault which this request meets; one less is left of it."""
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and fault.matches(method, path, body):
                    fault.times -= 1
                    fault.met += 1
                    return fault
        return None

    def add(self, kind: str, part: str, times: int = 1, method: str = "") -> Fault:
        """From now on the next `times` requests whose path has `part` go wrong."""
        fault = Fault(kind, lambda given, path, _: part in path and method in ("", given), times)
        self.faults.append(fault)
        return fault

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def faulty(upstream: str) -> Iterator[FaultyProxy]:
    """A proxy in front of a server's address."""
    proxy = FaultyProxy(upstream)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()
