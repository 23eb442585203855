"""A whole run: from an empty machine to a page that works, and back."""

import contextlib
import fcntl
import os
import secrets
import shlex
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from imagemill.cameras.credentials import problem_of
from imagemill.local import plan
from imagemill.local.actuator import WorkerActuator
from imagemill.local.backing import Backing, backing_of
from imagemill.local.child import ManagedProcess
from imagemill.local.console import say, step, welcome
from imagemill.local.door import door_of
from imagemill.local.observing import BrokerEyes, read_held
from imagemill.local.pools_server import PoolsServer
from imagemill.local.ports import free_ports, holder, is_free
from imagemill.local.probe import get
from imagemill.local.process import private_file, private_folder
from imagemill.local.scaler import Scaler, specs
from imagemill.local.servers import LocalError
from imagemill.local.settings import LocalSettings
from imagemill.local.supervisor import Stopping, Supervisor
from imagemill.settings import Settings

Command = Callable[[plan.Process], list[str]]


def run(settings: LocalSettings, command: Command | None = None) -> None:
    """Returns after an orderly end; LocalError when it could not start or not go on. Nothing is left running."""
    programs = _programs_settings()
    _refuse_credentials_without_hosts(settings, programs)
    private_folder(settings.home)
    with _only_run(settings), _signals() as stopping:
        _refuse_taken_port(settings.port)
        backing = backing_of(settings)
        try:
            backing.start(lambda: stopping.asked > 0)
            if not stopping.asked:
                _run_programs(settings, programs, backing, stopping, command)
        finally:
            _end(backing, stopping)


def _run_programs(
    settings: LocalSettings,
    programs: Settings,
    backing: Backing,
    stopping: Stopping,
    command: Command | None,
) -> None:
    eyes = BrokerEyes(backing.amqp_url, backing.metrics_url)
    port = free_ports(1)[0]
    addresses = plan.Addresses(backing.amqp_url, backing.couchdb_url, f"http://127.0.0.1:{port}/pools")
    common = addresses.environment(settings)
    door = door_of(programs, settings.home)
    own = backing.accounts(programs.couchdb_prefix)
    told = {name: {**common, **own.get(name, {})} for name in (*plan.PROGRAMS, plan.WORKER)}
    actuator = WorkerActuator(_worker_launch(settings, told[plan.WORKER], command), settings.local_stop_seconds, say)
    steer_token = secrets.token_urlsafe(32)
    for_api = {**door.api, "IMAGEMILL_POOLS_STEER_TOKEN": steer_token}
    processes = _programs(settings, told, for_api, command)
    api = next(one.process.metrics_url for one in processes if one.process.name == "api")
    pools = specs(programs.pools, settings.local_workers, settings.local_max_wait_seconds)
    scaler = Scaler(pools, actuator, eyes, lambda: read_held(get(api)))
    served = PoolsServer(port, scaler.states, scaler.steer, steer_token)
    supervisor = Supervisor(processes, actuator, stopping)
    try:
        with _environment_file(settings, {**common, **door.client}) as environment:
            notes = [door.note, *backing.notes()]
            _until_stopped(settings, supervisor, scaler, backing.died, environment, notes)
    finally:
        scaler.stop()
        with step("Stopping the programs"):
            supervisor.stop(settings.local_stop_seconds)
        served.close()


def _until_stopped(
    settings: LocalSettings,
    supervisor: Supervisor,
    scaler: Scaler,
    died: Callable[[], str | None],
    environment: Path,
    notes: list[str],
) -> None:
    supervisor.start()
    supervisor.wait_until_ready(settings.local_ready_seconds)
    scaler.start()
    page = f"http://127.0.0.1:{settings.port}"
    print(welcome(page, str(settings.home / "log"), str(environment), notes), flush=True)
    supervisor.watch(died)


def _programs(
    settings: LocalSettings, told: Mapping[str, dict[str, str]], for_api: Mapping[str, str], command: Command | None
) -> list[ManagedProcess]:
    ports = free_ports(len(plan.PROGRAMS))
    # What opens the door is for the one program which stands behind it.
    inherited = {name: {**os.environ, **(for_api if name == "api" else {})} for name in plan.PROGRAMS}
    processes = [
        plan.program(name, inherited[name], told[name], port) for name, port in zip(plan.PROGRAMS, ports, strict=True)
    ]
    return [ManagedProcess(process, plan.log_file(settings.home, process.name), command) for process in processes]


def _worker_launch(
    settings: LocalSettings, common: dict[str, str], command: Command | None
) -> Callable[[str, int], ManagedProcess]:
    def launch(pool: str, slot: int) -> ManagedProcess:
        process = plan.worker(pool, slot, dict(os.environ), common, free_ports(1)[0])
        child = ManagedProcess(process, plan.log_file(settings.home, process.name), command)
        child.launch()
        return child

    return launch


def _programs_settings() -> Settings:
    """The programs read the same settings; a mistake in them is told before anything is started."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "_".join(["IMAGEMILL", *(str(part) for part in wrong["loc"])]).upper()
        raise LocalError(f"{name} is {wrong['input']!r}: {wrong['msg']}.") from error


def _refuse_credentials_without_hosts(settings: LocalSettings, programs: Settings) -> None:
    wrong = problem_of(plan.credentials_file(settings), programs.camera_credentials_anywhere)
    if wrong:
        raise LocalError(wrong[0].upper() + wrong[1:])


def _refuse_taken_port(port: int) -> None:
    if not is_free(port):
        who = holder(port) or "another program"
        raise LocalError(
            f"Port {port} is taken by {who}: end it, or choose another port with IMAGEMILL_PORT={port + 1} make run."
        )


@contextlib.contextmanager
def _only_run(settings: LocalSettings) -> Iterator[None]:
    """Two runs on one folder would fight over the broker's and the database's files."""
    (settings.home / "cameras").mkdir(parents=True, exist_ok=True)  # videos put here can be read as cameras
    path = settings.home / "run.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = path.read_text().strip()
            raise LocalError(
                f"Imagemill runs already from {settings.home} (pid {pid}): stop it with Ctrl-C there or `kill {pid}`, "
                "or choose another folder with IMAGEMILL_HOME and another port with IMAGEMILL_PORT."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
        lock.truncate(0)


@contextlib.contextmanager
def _signals() -> Iterator[Stopping]:
    stopping = Stopping()
    before = {number: signal.signal(number, stopping.ask) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _environment_file(settings: LocalSettings, common: dict[str, str]) -> Iterator[Path]:
    """So that the command line tool, or a program started by hand, finds this run; it holds passwords."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in common.items() if name != "PYTHONUNBUFFERED"]
    path = private_file(settings.home / "environment", "".join(lines))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _end(backing: Backing, stopping: Stopping) -> None:
    if any(server.is_running for server in backing.own):
        with step("Stopping the servers"):
            backing.stop(lambda: stopping.asked > 1)
    say("Stopped. Everything that was stored is kept.")
