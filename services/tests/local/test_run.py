"""`python -m imagemill.local` as a person uses it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from imagemill.local.couch import CouchServer
from imagemill.local.ports import accepts, free_ports
from imagemill.local.rabbit import RabbitServer
from imagemill.local.servers import wait_until

TIMEOUT = 120


class Run:
    """A run in a process of its own; what it says is in `text`."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home, self.port = home, free_ports(1)[0]
        home.mkdir(parents=True, exist_ok=True)
        self.output = home.with_suffix(".console")
        self.environment = {
            **os.environ, "IMAGEMILL_HOME": str(home), "IMAGEMILL_PORT": str(self.port),
            "IMAGEMILL_LOCAL_READY_SECONDS": str(2 * TIMEOUT), **environment,
        }  # fmt: skip
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "imagemill.local"], env=self.environment, stdout=output, stderr=output
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> None:
        assert wait_until(lambda: "is ready:" in self.text or self.process.poll() is not None, 3 * TIMEOUT), self.text
        assert self.process.poll() is None, self.text

    def children(self) -> list[int]:
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(TIMEOUT)


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    made: list[Run] = []
    yield made
    for run in made:
        run.process.kill()
        run.process.wait(TIMEOUT)


def test_the_true_whole_takes_a_picture_and_ends_orderly(runs: list[Run], tmp_path: Path, png: bytes) -> None:
    run = Run(tmp_path / "home", IMAGEMILL_LOG_LEVEL="warning")
    runs.append(run)
    run.home.chmod(0o755)  # as earlier versions left it
    run.wait_until_ready()
    answer = requests.post(
        f"{run.url}/api/v1/images", params={"wait": "60"}, files={"file": ("a.png", png)}, timeout=TIMEOUT
    )
    assert answer.status_code in (200, 202), answer.text
    assert wait_until(lambda: totals(run)["in_flight"] == 0, TIMEOUT)
    assert (totals(run)["accepted"], totals(run)["stored"]) == (1, 1)
    assert wait_until(
        lambda: len(requests.get(f"{run.url}/api/v1/pools", timeout=TIMEOUT).json()["pools"]) == 2, TIMEOUT
    )
    second_run_is_refused(run)
    children = run.children()
    assert len(children) >= 7
    assert open_to_others(run.home) == []
    assert programs_told(run, "couchdb*/password") == {"imagemill.writer"}
    assert programs_told(run, "rabbitmq/password") == set()
    assert run.end() == 0, run.text
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert not (run.home / "environment").exists()


def programs_told(run: Run, secret: str) -> set[str]:
    """The programs in whose environment a server's administrator's password is."""
    (path,) = run.home.glob(secret)
    password = path.read_bytes()
    told = [pid for pid in run.children() if password in Path(f"/proc/{pid}/environ").read_bytes()]
    commands = [Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in told]
    return {word for command in commands for word in command if word.startswith("imagemill.")}


def open_to_others(folder: Path) -> list[Path]:
    """Files and folders that are not for their owner alone."""
    found = [path for path in (folder, *folder.rglob("*")) if not path.is_symlink()]
    assert len(found) > 20
    return [path for path in found if path.exists() and path.stat().st_mode & 0o077]


def totals(run: Run) -> dict[str, int]:
    answer: dict[str, int] = requests.get(f"{run.url}/api/v1/totals", timeout=TIMEOUT).json()
    return answer


def second_run_is_refused(run: Run) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "imagemill.local"], env=run.environment, capture_output=True, text=True, timeout=TIMEOUT
    )
    assert second.returncode == 1
    assert f"error: Imagemill runs already from {run.home} (pid {run.process.pid})" in second.stderr


def test_given_servers_are_used_and_crashed_programs_come_back(
    runs: list[Run], tmp_path: Path, amqp_url: str, couchdb_url: str, couchdb_prefix: str
) -> None:
    run = Run(
        tmp_path / "home",
        AMQP_URL=amqp_url,
        COUCHDB_URL=couchdb_url,
        IMAGEMILL_COUCHDB_PREFIX=couchdb_prefix.rstrip("-"),
    )
    runs.append(run)
    run.wait_until_ready()
    assert "Starting RabbitMQ" not in run.text
    assert not re.search(r"://[^/\s]*:[^/\s]*@", run.text), "a password on the console"
    (journal,) = [pid for pid in run.children() if "imagemill.journal" in Path(f"/proc/{pid}/cmdline").read_text()]
    os.kill(journal, signal.SIGKILL)
    assert wait_until(lambda: "journal started again" in run.text, TIMEOUT), run.text
    assert "journal was killed by signal 9; it is started again." in run.text
    assert run.end() == 0, run.text


def test_nothing_is_left_when_the_run_itself_is_killed(
    runs: list[Run], tmp_path: Path, rabbit: RabbitServer, couch: CouchServer, amqp_url: str, couchdb_prefix: str
) -> None:
    run = Run(
        tmp_path / "home", AMQP_URL=amqp_url, COUCHDB_URL=couch.url, IMAGEMILL_COUCHDB_PREFIX=couchdb_prefix.rstrip("-")
    )
    runs.append(run)
    assert wait_until(lambda: len(run.children()) >= 3, TIMEOUT), run.text
    children = run.children()
    run.process.kill()
    run.process.wait(TIMEOUT)
    assert wait_until(lambda: not any(running(pid) for pid in children), TIMEOUT)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_taken_port_is_told_with_its_holder_and_the_way_out(tmp_path: Path, runs: list[Run]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = Run(tmp_path / "home", IMAGEMILL_PORT=str(port))
        runs.append(run)
        assert run.process.wait(TIMEOUT) == 1
    assert f"error: Port {port} is taken by " in run.text
    assert f"(pid {os.getpid()}): end it, or choose another port with IMAGEMILL_PORT={port + 1}" in run.text


def test_missing_broker_is_one_sentence(tmp_path: Path, runs: list[Run]) -> None:
    port = free_ports(1)[0]
    assert not accepts(port)
    run = Run(
        tmp_path / "home", AMQP_URL=f"amqp://127.0.0.1:{port}/", COUCHDB_URL=f"http://127.0.0.1:{port}",
        IMAGEMILL_LOCAL_READY_SECONDS="4",
    )  # fmt: skip
    runs.append(run)
    assert run.process.wait(TIMEOUT) == 1, run.text
    assert "error: Not ready after 4 s." in run.text
    assert "Traceback" not in run.text


def test_wrong_setting_is_one_sentence(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path / "home", IMAGEMILL_POOLS='{"heavy": ["denoise"]}')
    runs.append(run)
    assert run.process.wait(TIMEOUT) == 1
    assert "error: IMAGEMILL_POOLS is " in run.text
    assert "exactly one pool must take '*'" in run.text


def test_credentials_that_may_go_anywhere_are_one_sentence(tmp_path: Path, runs: list[Run]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "camera-credentials.yaml").write_text("door: {user: viewer, password: hunter2}")
    runs.append(Run(home))
    assert runs[0].process.wait(TIMEOUT) == 1
    assert "The credentials 'door' in" in runs[0].text
    assert 'hosts: ["rtsp://10.0.0.5"]' in runs[0].text
    assert "hunter2" not in runs[0].text
