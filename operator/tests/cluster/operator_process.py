"""Runs the operator as it runs in a pod: a process of its own, told everything by its environment."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Operator:
    """A running operator."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.startswith("{") else text

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)


@contextmanager
def running(folder: Path, kube_url: str, port: int, **env: str) -> Iterator[Operator]:
    """Start it with a kubeconfig for the given API server; stop it orderly."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        "clusters": [{"name": "fake", "cluster": {"server": kube_url}}],
        "users": [{"name": "fake", "user": {"token": "token-for-tests"}}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kubeconfig").write_text(json.dumps(config))
    variables = {
        "PATH": os.environ["PATH"],
        "KUBECONFIG": str(folder / "kubeconfig"),
        "IMAGEMILL_LISTEN_HOST": "127.0.0.1",
        "IMAGEMILL_LISTEN_PORT": str(port),
        "IMAGEMILL_TICK_SECONDS": "0.5",
        "IMAGEMILL_LEASE_SECONDS": "6",
        **env,
    }
    log = folder / f"operator-{port}.log"
    with log.open("wb") as out:
        command = [sys.executable, "-W", "error", "-m", "imagemill_operator"]
        process = subprocess.Popen(command, env=variables, stdout=out, stderr=out)
    try:
        yield Operator(process, f"http://127.0.0.1:{port}", log)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def eventually(check: Callable[[], Any], seconds: float = 90.0, what: str = "") -> Any:
    """Wait until a check gives something true, and return that."""
    deadline = time.monotonic() + seconds
    problem: Exception | None = None
    while time.monotonic() < deadline:
        try:
            found = check()
        except (OSError, KeyError, IndexError, TypeError) as error:
            found, problem = None, error
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what or check} did not come true within {seconds:g} s ({problem!r})")
