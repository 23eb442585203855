"""A whole Imagemill of real processes, for tests and benchmarks."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests

from imagemill.local.plan import MALLOC, WORKER
from imagemill.local.ports import free_ports
from imagemill.local.process import kill_child, last_lines, start_child, stop_child
from launching import PROGRAMS, Launched, Launcher

TIMEOUT_SECONDS = 120.0
ENDS = ("stored", "failed")


def wait_for(condition: Callable[[], Any], what: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Any:
    """The condition's first true answer; fails, saying what was waited for.

    It is asked the less often the longer it takes: mostly a server has to find the answer.
    """
    began = time.monotonic()
    while True:
        answer = condition()
        if answer:
            return answer
        waited = time.monotonic() - began
        assert waited < timeout_seconds, f"waited {timeout_seconds:g} s for {what}"
        time.sleep(min(max(waited / 10, 0.02), 0.1))


class Mill:
    """Programs by name; any of them can be killed, stopped and started again. `launcher` starts them faster.

    `accounts` is what each program is told beside what all are told; without it all are the servers' administrators.
    """

    accounts: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    launcher: Launcher | None = None

    def __init__(self, folder: Path, amqp_url: str, couchdb_url: str, prefix: str, **settings: Any) -> None:
        self.folder, self.amqp_url, self.couchdb_url, self.prefix = folder, amqp_url, couchdb_url, prefix
        self.port, *self._health_ports = free_ports(13)
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = requests.Session()
        self._settings = {
            "AMQP_URL": amqp_url,
            "COUCHDB_URL": couchdb_url,
            "IMAGEMILL_COUCHDB_PREFIX": prefix,
            "IMAGEMILL_PORT": str(self.port),
            **_environment(settings),
        }
        self._processes: dict[str, subprocess.Popen[bytes] | Launched] = {}
        self._health: dict[str, int] = {}

    # --- processes --------------------------------------------------------------------------------

    def start(self, *programs: str, module: Sequence[str] | None = None, **settings: Any) -> "Mill":
        """Starts programs (`worker`, `worker:2` for a second one) and waits until they are ready."""
        for name in programs:
            self.launch(name, module or ["-m", f"imagemill.{name.split(':')[0]}"], settings)
        for name in programs:
            wait_for(lambda name=name: self.is_ready(name), f"{name} to be ready; {self.log(name)}")
        return self

    def launch(self, name: str, module: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Starts a program without waiting."""
        if name not in self._health:
            self._health[name] = self._health_ports.pop()
        environment = {
            **os.environ,
            **(MALLOC if name.startswith(WORKER) else {}),
            **self._settings,
            **self.accounts.get(name.split(":")[0], {}),
            "IMAGEMILL_INSTANCE": name.replace(":", "-"),
            "IMAGEMILL_HEALTH_PORT": str(self._health[name]),
            **_environment(settings),
        }
        if self.launcher and name.split(":")[0] in PROGRAMS:
            log_file = self.folder / f"{name}.log"
            self._processes[name] = self.launcher.start(module[-1], environment, log_file)
            return
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = start_child([sys.executable, *module], environment=environment, output=log)

    def is_ready(self, name: str) -> bool:
        assert self._processes[name].poll() is None, f"{name} ended: {self.log(name)}"
        with contextlib.suppress(requests.RequestException):
            return self.health(name).status_code == 200
        return False

    def health(self, name: str, path: str = "/readyz") -> requests.Response:
        """What a program says of itself, on the port that it has for that."""
        return requests.get(f"http://127.0.0.1:{self._health[name]}{path}", timeout=30)

    def log(self, name: str, lines: int = 15) -> str:
        return last_lines(self.folder / f"{name}.log", lines)

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def running(self, name: str) -> bool:
        return self._processes[name].poll() is None

    def kill(self, name: str) -> None:
        """SIGKILL."""
        kill_child(self._processes.pop(name))

    def signal(self, name: str, number: signal.Signals) -> None:
        """To all processes of a program, as a kill for want of memory or a frozen node has it; SIGTERM to the first."""
        send = os.kill if number == signal.SIGTERM else os.killpg
        send(self.pid(name), number)

    def stop(self, name: str, patience_seconds: float = 60) -> int:
        """SIGTERM; the exit code."""
        process = self._processes.pop(name)
        assert stop_child(process, patience_seconds), (
            f"{name} did not stop within {patience_seconds} s: {self.log(name)}"
        )
        return process.returncode

    def metrics(self, name: str) -> str:
        return self.health(name, "/metrics").text

    def close(self) -> None:
        self.http.close()
        for name in list(self._processes):
            kill_child(self._processes.pop(name))

    # --- client -----------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.http.get(self.url + path, timeout=TIMEOUT_SECONDS, **query)

    def post(self, path: str, **content: Any) -> requests.Response:
        """A form of the page is sent with its token, as a browser does."""
        if not path.startswith(("/api/", "/image")):
            content["data"] = {"form_token": form_token(self.get("/").text), **(content.get("data") or {})}
        return self.http.post(self.url + path, timeout=TIMEOUT_SECONDS, **content)

    def upload(self, *pictures: bytes, recipe: str | list[str] = "gray", **fields: str) -> requests.Response:
        files = [("file", (f"picture-{n}.jpg", data, "image/jpeg")) for n, data in enumerate(pictures)]
        return self.post("/api/v1/images", files=files, data={"recipe": recipe, **fields})

    def accepted(self, *pictures: bytes, **fields: Any) -> list[str]:
        """Uploads; the ids of what was accepted."""
        answer = self.upload(*pictures, **fields)
        assert answer.status_code == 202, answer.text
        return [item["id"] for item in answer.json()["accepted"]]

    def image(self, image_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/api/v1/images/{image_id}").json()
        return answer

    def totals(self) -> dict[str, int]:
        answer: dict[str, int] = self.get("/api/v1/totals").json()
        return answer

    def ended(self, image_id: str, timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
        """The picture, once it has its outcome."""
        wait_for(lambda: self.image(image_id)["status"] in ENDS, f"the end of {image_id}", timeout_seconds)
        return self.image(image_id)

    def all_ended(self, timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, int]:
        """The totals, once nothing is in flight."""
        wait_for(lambda: self.totals().get("in_flight") == 0, "nothing in flight", timeout_seconds)
        return self.totals()

    def couch_document(self, database: str, doc_id: str) -> str:
        """A document as CouchDB has it, or what it says instead."""
        address = f"{self._settings['COUCHDB_URL']}/{self._settings['IMAGEMILL_COUCHDB_PREFIX']}-{database}/{doc_id}"
        return requests.get(address, timeout=TIMEOUT_SECONDS).text

    def events(self, **query: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Server-sent events."""
        with requests.get(self.url + "/api/v1/events", params=query, stream=True, timeout=TIMEOUT_SECONDS) as answer:
            kind = ""
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield kind, json.loads(line.removeprefix("data: "))


def form_token(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert found, page
    return found[1]


def adds_up(counts: Mapping[str, int]) -> bool:
    """The promise's arithmetic."""
    return (
        counts["accepted"] == counts["stored"] + counts["failed"] + counts["in_flight"]
        and counts["offered"] == counts["accepted"] + counts["rejected"]
    )


def _environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings by name; a name in capitals is a variable's."""
    return {name if name.isupper() else f"IMAGEMILL_{name.upper()}": str(value) for name, value in settings.items()}
