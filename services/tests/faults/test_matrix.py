"""Whatever goes wrong once, at whatever step: an accepted picture is stored, once, and nobody has to restart anything.

`make faults` runs every cell; `make test` some of each step.
"""

import contextlib
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import pictures
from faults.amqp_proxy import AmqpFault, AmqpProxy
from faults.cells import LARGE, S3_STEPS, STEPS, Cell, matrix, some
from faulty_proxy import Fault, FaultyProxy
from imagemill import recipes
from imagemill.domain.ids import uuid7
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill, adds_up, wait_for
from s3_server import S3Server, s3_server

PROGRAMS = ("writer", "api", "worker")
TIMEOUT_SECONDS = 2.0
LATE_SECONDS = 2 * TIMEOUT_SECONDS
PAUSE_SECONDS = 2.0
SETTINGS = {
    "couchdb_timeout_seconds": TIMEOUT_SECONDS, "s3_timeout_seconds": TIMEOUT_SECONDS,
    "confirm_timeout_seconds": TIMEOUT_SECONDS, "redrive_after_seconds": 4, "redrive_every_seconds": 1,
    "lease_seconds": 3, "inline_max_bytes": 20_000, "result_inline_max_bytes": 20_000,
}  # fmt: skip
WAIT_SECONDS = "15"


class Site:
    """An Imagemill each of whose programs has proxies of its own to its servers, and is restarted when it dies."""

    def __init__(
        self, folder: Path, rabbit: RabbitServer, couch: CouchServer, vhost: str, s3: S3Server | None = None
    ) -> None:
        amqp_url = rabbit.amqp_url.removesuffix("%2F") + vhost
        self.mill = Mill(folder, amqp_url, couch.url, vhost, **SETTINGS, **(s3.settings(vhost) if s3 else {}))
        self.http = {"couch": {name: FaultyProxy(couch.url) for name in PROGRAMS}}
        if s3:
            self.http["s3"] = {name: FaultyProxy(s3.url) for name in PROGRAMS}
        self.amqp = {name: AmqpProxy(amqp_url) for name in PROGRAMS}
        for proxy in self._proxies():
            proxy.start()
        for name in PROGRAMS:
            self._start(name)

    def close(self) -> None:
        self.mill.close()
        for proxy in (*self._proxies(), *self.amqp.values()):
            proxy.close()

    def _proxies(self) -> list[FaultyProxy]:
        return [proxy for of_programs in self.http.values() for proxy in of_programs.values()]

    def _start(self, name: str) -> None:
        s3 = {"s3_endpoint_url": self.http["s3"][name].url} if "s3" in self.http else {}
        self.mill.start(name, COUCHDB_URL=self.http["couch"][name].url, AMQP_URL=self.amqp[name].url, **s3)

    def heal(self) -> None:
        """As Kubernetes does it."""
        for name in PROGRAMS:
            if not self.mill.running(name):
                self._start(name)

    def arm(self, cell: Cell) -> Fault | AmqpFault:
        name, step = cell.step.program, cell.step
        happens = {"crash": lambda: self.kill(name), "pause": lambda: self.pause(name)}.get(cell.fault)
        kind, after = ("after", happens) if happens else (cell.fault, lambda: None)
        if step.frame:
            wanted = (step.frame, step.exchange)
            message = AmqpFault(kind, lambda frame: (frame.method, frame.exchange) == wanted, LATE_SECONDS, after)
            self.amqp[name].fault = message
            return message

        def matches(method: str, path: str, body: bytes) -> bool:
            return method == step.method and step.path in path and step.body.encode() in body

        request = Fault(kind, matches, 1, LATE_SECONDS if kind == "late" else 0.0, after)
        self.http[step.server][name].faults.append(request)
        return request

    def disarm(self) -> None:
        for proxy in self._proxies():
            proxy.faults.clear()
        for other in self.amqp.values():
            other.fault = None

    def kill(self, name: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.mill.signal(name, signal.SIGKILL)

    def pause(self, name: str) -> None:
        self.mill.signal(name, signal.SIGSTOP)
        threading.Timer(PAUSE_SECONDS, self.resume, (name,)).start()

    def resume(self, name: str) -> None:
        with contextlib.suppress(ProcessLookupError):  # the next cell may have killed it before, on a slow machine
            self.mill.signal(name, signal.SIGCONT)

    def taken(self, data: bytes, wait: bool = False, recipe: str = "gray") -> str:
        """Send the same request with the same key until it is taken; the picture's id."""
        key, deadline = uuid7(), time.monotonic() + 60
        while time.monotonic() < deadline:
            self.heal()
            with contextlib.suppress(requests.RequestException):
                answer = self.mill.upload(data, recipe=recipe, key=key, **({"wait": WAIT_SECONDS} if wait else {}))
                if answer.status_code == 200:
                    return answer.headers["Location"].rsplit("/", 1)[1]
                if answer.status_code == 202:
                    return str(answer.json()["accepted"][0]["id"])
                assert answer.status_code == 503, answer.text
            time.sleep(0.2)
        raise AssertionError("it was not taken within a minute")

    def totals(self) -> dict[str, int]:
        with contextlib.suppress(requests.RequestException, ValueError):
            return self.mill.totals()
        return {}

    def result(self, image_id: str) -> bytes | None:
        with contextlib.suppress(requests.RequestException):
            answer = self.mill.get(f"/api/v1/images/{image_id}/result")
            return answer.content if answer.status_code == 200 else None
        return None

    def ended(self, image_id: str) -> dict[str, Any]:
        def outcome() -> dict[str, Any] | None:
            self.heal()
            with contextlib.suppress(requests.RequestException, ValueError):
                image = self.mill.image(image_id)
                return image if image.get("status") in ("stored", "failed") else None
            return None

        found: dict[str, Any] = wait_for(outcome, f"the end of {image_id}", 60)
        return found


@pytest.fixture(scope="module")
def site(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(rabbit, couch, tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture(scope="module")
def s3_site(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with s3_server() as s3, running_site(rabbit, couch, tmp_path_factory.mktemp("faults-s3"), s3) as made:
        yield made


@contextlib.contextmanager
def running_site(rabbit: RabbitServer, couch: CouchServer, folder: Path, s3: S3Server | None = None) -> Iterator[Site]:
    name = f"faults-{uuid.uuid4().hex[:8]}"
    with requests.Session() as broker:
        broker.auth = (rabbit.user, rabbit.password)
        address = f"{rabbit.management_url}/api/vhosts/{name}"
        rights = f"{rabbit.management_url}/api/permissions/{name}/{rabbit.user}"
        broker.put(address, timeout=60).raise_for_status()
        broker.put(rights, json={"configure": ".*", "write": ".*", "read": ".*"}, timeout=60).raise_for_status()
        made = Site(folder, rabbit, couch, name, s3)
        try:
            yield made
        finally:
            made.close()
            broker.delete(address, timeout=60).raise_for_status()


CELLS = matrix if os.environ.get("IMAGEMILL_FAULTS") == "all" else some


@pytest.mark.parametrize("cell", CELLS(STEPS), ids=str)
def test_a_picture_is_stored_once_whatever_goes_wrong_once(site: Site, cell: Cell) -> None:
    sent_through(site, cell)


@pytest.mark.parametrize("cell", CELLS(S3_STEPS), ids=str)
def test_it_is_with_its_bytes_in_s3_too(s3_site: Site, cell: Cell) -> None:
    sent_through(s3_site, cell)


def sent_through(site: Site, cell: Cell) -> None:
    width, height = (640, 480) if cell.size == LARGE else (96, 64)
    data = pictures.photo_jpeg(width, height, uuid.uuid4().int % 2**31)
    with told_by(site):
        if cell.step.name == "read known results":  # which is only asked if the original was there before
            site.ended(site.taken(data, recipe="edges"))
        happens_once(site, cell, data)


def happens_once(site: Site, cell: Cell, data: bytes) -> None:
    before = wait_for(lambda: site.heal() or (all_ready(site) and settled(site)), "all programs and their counts", 60)
    fault = site.arm(cell)
    try:
        image_id = site.taken(data, cell.wait)
        image = site.ended(image_id)
        wait_for(lambda: fault.met, "the step to be reached", 30)
    finally:
        site.disarm()
    assert image["status"] == "stored", image
    after = wait_for(lambda: site.heal() or settled(site), "nothing in flight", 60)
    assert after["accepted"] - before["accepted"] == 1
    assert after["stored"] - before["stored"] == 1
    assert after["failed"] == before["failed"]
    assert adds_up(after)
    result = wait_for(lambda: site.result(image_id), "the result", 60)
    assert result == recipes.load(None)["gray"].apply(data).data


@contextlib.contextmanager
def told_by(site: Site) -> Iterator[None]:
    """What the programs said last is in the report of a failure."""
    try:
        yield
    except BaseException:
        for name in PROGRAMS:
            print(f"--- {name}, process {site.mill.pid(name)}:\n{site.mill.log(name, 40)}")
        raise


def settled(site: Site) -> dict[str, int] | None:
    counts = site.totals()
    return counts if counts.get("in_flight") == 0 else None


def all_ready(site: Site) -> bool:
    return all(site.mill.is_ready(name) for name in PROGRAMS)
