"""A scaler that an Imagemill asks for its pools."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from imagemill_operator.policy import Backlog, Observation, PoolTracker, Spec


def _pools() -> list[dict[str, Any] | None]:
    """As the policy tells them: one at work, one whose queue nobody knows; and one that is left alone."""
    tracked = []
    for name, backlog in (("default", Backlog(ready=212, unacked=6)), ("heavy", None)):
        pool = PoolTracker(name, [f"work.{name}"], Spec(max_replicas=8, max_wait_seconds=10.0))
        pool.see(Observation(at_seconds=1.8e9, backlog=backlog, current_replicas=6, ready_replicas=6))
        tracked.append(pool.to_dict())
    why = {"type": "TargetConflict", "status": "True", "reason": "HasScaler", "message": "It has an HPA."}
    alone = {"name": "other", "queues": ["work.other"], "limit": "refused", "reason": "It has an HPA.", "terms": []}
    return [*tracked, alone | {"conditions": [why]}]


class _Scaler(BaseHTTPRequestHandler):
    timeout = 60

    def do_GET(self) -> None:
        body = json.dumps({"pools": _pools()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def scaler() -> Iterator[str]:
    """The address of its /pools."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Scaler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/pools"
    server.shutdown()
    server.server_close()
    thread.join()
