"""What it costs to know who asks: the API's processor time per request, in turns with nobody to be known."""

import http.client
import statistics
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bench.surroundings import cpu_seconds, mill, tree_of
from bench.table import show
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer

REQUESTS = 1000
ROUNDS = 5
_ADMIN_TOKEN = "only-for-this-benchmark-and-not-longer"


def bench_authentication(folder: Path, rabbit: RabbitServer, couch: CouchServer) -> None:
    """With 100 tokens known, one of them or a session's cookie is sent with each request."""
    found: dict[str, list[float]] = {"nobody": [], "a token": [], "a session": []}
    with mill(folder, rabbit, couch, "open") as opened, mill(folder, rabbit, couch, "locked") as locked:
        opened.start("writer", "api")
        locked.start("writer", "api:2", login="true", admin_token=_ADMIN_TOKEN)
        headers = {"Authorization": f"Bearer {_ADMIN_TOKEN}"}
        body = {"name": "bench", "role": "viewer"}
        token = [locked.post("/api/v1/tokens", json=body, headers=headers).json()["token"] for _ in range(100)][-1]
        login = locked.http.post(f"{locked.url}/login", data={"token": token}, allow_redirects=False, timeout=60)
        session = {"Cookie": login.headers["Set-Cookie"].split(";")[0]}
        turns = (
            ("nobody", opened.port, opened.pid("api"), {}),
            ("a token", locked.port, locked.pid("api:2"), {"Authorization": f"Bearer {token}"}),
            ("a session", locked.port, locked.pid("api:2"), session),
        )  # fmt: skip
        for _ in range(ROUNDS):
            for name, port, pid, sent in turns:
                found[name].append(_cpu_milliseconds(port, tree_of(pid)[-1], sent))
    alone = statistics.median(found["nobody"])
    show(
        f"Who asks ({ROUNDS} rounds of {REQUESTS:,} requests in turns)",
        ["known by", "CPU, ms a request (median, spread)", "÷ nobody", "more, ms", "goal"],
        [
            [
                name, f"{statistics.median(times):.3f} ({min(times):.3f}–{max(times):.3f})",
                f"{statistics.median(times) / alone:.2f}", f"{statistics.median(times) - alone:.3f}",
                "" if name == "nobody" else "≤ 0.2",
            ]
            for name, times in found.items()
        ],
    )  # fmt: skip


def _cpu_milliseconds(port: int, pid: int, headers: Mapping[str, str]) -> float:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        before = cpu_seconds(pid)
        for _ in range(REQUESTS):
            connection.request("GET", "/api/v1/recipes", headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
    return (cpu_seconds(pid) - before) * 1000 / REQUESTS
