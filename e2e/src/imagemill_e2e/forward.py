"""A port of this machine which leads to the API, also after its pod was replaced."""

import random
import socket
import subprocess
import threading

import requests

from imagemill_e2e.cluster import Cluster
from imagemill_e2e.waiting import until

SERVICE = "service/mill-imagemill-api"
# Linux takes none of these for outgoing connections: one is still free when the port-forward starts anew.
_CHOICE = range(15_000, 32_000)


class Forward:
    """`kubectl port-forward`, started anew whenever it ends or leads nowhere."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="port-forward", daemon=True)

    @property
    def url(self) -> str:
        """The API's address."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> "Forward":
        """Begins, and waits for the first answer."""
        self._thread.start()
        until("the API answers through the port-forward", self._answers)
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it."""
        self._closing.set()
        self.renew()
        self._thread.join(30)

    def renew(self) -> None:
        """Leads to another pod from now on; connections through it end."""
        with self._lock:
            if self._process is not None:
                self._process.terminate()

    def _keep(self) -> None:
        target = ["port-forward", SERVICE, f"{self._port}:80"]
        command = ["kubectl", "--context", self._cluster.context, "--namespace", self._cluster.namespace, *target]
        while True:
            with self._lock:  # or one would be started that nobody ends
                if self._closing.is_set():
                    return
                self._process = subprocess.Popen(  # noqa: S603
                    command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            self._process.wait()
            self._closing.wait(0.3)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/v1/openapi.json", timeout=5).status_code < 500
        except requests.RequestException:
            return False


def _free_port() -> int:
    return next(port for port in random.SystemRandom().sample(_CHOICE, len(_CHOICE)) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as server:
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
