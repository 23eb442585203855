"""A scaler that an Imagemill asks for its pools."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from imagemill_operator.policy import Backlog, Observation, PoolTracker, Spec, changed, parse_change, steered

STEER_TOKEN = "who steers" * 4


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


def busy_then_broken(at: float = 1.8e9) -> list[dict[str, Any] | None]:
    """A pool whose objective was held with two workers, and broken when one was left; and two with nothing to do."""
    spec, idle = (
        Spec(max_replicas=8, max_wait_seconds=10.0),
        Spec(min_replicas=1, max_replicas=8, max_wait_seconds=10.0),
    )
    busy, unused = PoolTracker("busy", ["work.busy"], spec), PoolTracker("unused", ["work.unused"], idle)
    for tick in range(60):
        workers, done = (2, 2.0 * tick) if tick < 40 else (1, 80.0 + 1.0 * (tick - 40))
        common = {"at_seconds": at + 10.0 * (tick - 59), "busy_seconds_total": 10.0 * tick}
        busy.see(Observation(
            backlog=Backlog(ready=15, unacked=2), current_replicas=2, ready_replicas=workers,
            completed_total=10 * done, **common,
        ))  # fmt: skip
        unused.see(Observation(backlog=Backlog(0), current_replicas=1, ready_replicas=1, **common))
    return [busy.to_dict(), unused.to_dict(), {**(unused.to_dict() or {}), "name": "default"}]


class _Scaler(BaseHTTPRequestHandler):
    timeout = 60
    pools: Callable[[], list[dict[str, Any] | None]]

    def do_GET(self) -> None:
        body = json.dumps({"pools": self.pools()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PATCH(self) -> None:
        """Takes what the policy takes, from who has the token."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        spec = Spec(min_replicas=1, max_replicas=4, max_wait_seconds=10.0)
        if self.headers.get("Authorization") != f"Bearer {STEER_TOKEN}":
            self._answer(401, {"detail": "no"})
        elif self.path != "/pools/busy":
            self._answer(404, {"detail": "There is no such pool."})
        else:
            try:
                self._answer(200, {"before": steered(spec), "after": steered(changed(spec, parse_change(asked), 8))})
            except ValueError as error:
                self._answer(422, {"detail": str(error)})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def scaler(pools: Callable[[], list[dict[str, Any] | None]] = _pools) -> Iterator[str]:
    """The address of its /pools."""
    handler = type("Handler", (_Scaler,), {"pools": staticmethod(pools)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/pools"
    server.shutdown()
    server.server_close()
    thread.join()
