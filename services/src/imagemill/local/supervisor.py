"""Keeps the programs running: starts them, starts them again when they crash, and ends them all."""

import time
from collections.abc import Callable, Mapping

from imagemill.local.actuator import WorkerActuator
from imagemill.local.child import ManagedProcess
from imagemill.local.console import say
from imagemill.local.plan import Process
from imagemill.local.probe import not_ready
from imagemill.local.process import last_lines
from imagemill.local.servers import LocalError

POLL_SECONDS = 0.1


class Stopping:
    """What signals have asked for: the first one an orderly end, the second one an end at once."""

    def __init__(self) -> None:
        self.asked = 0

    def ask(self, *_: object) -> None:
        """A signal handler."""
        self.asked += 1
        if self.asked > 1:
            say("Ending everything at once.")


class Supervisor:
    """All of it in the main thread: the processes end with the thread that started them."""

    def __init__(self, children: list[ManagedProcess], workers: WorkerActuator, stopping: Stopping) -> None:
        self._children, self._workers, self._stopping = children, workers, stopping

    def start(self) -> None:
        """Starts every program."""
        for child in self._children:
            child.launch()

    def watch(self, died: Callable[[], str | None]) -> None:
        """Returns when a signal came; LocalError when a program or a server cannot be kept running."""
        while not self._stopping.asked:
            self.look_after()
            dead = died()
            if dead:
                raise LocalError(dead)
            time.sleep(POLL_SECONDS)

    def look_after(self) -> None:
        """Starts crashed programs again, and has as many workers as are wanted."""
        for child in self._children:
            crashed = child.crash()
            if crashed and child.is_hopeless:
                raise LocalError(f"{crashed}, {child.crashes} times in a row. The end of {child.log}:\n{_end(child)}")
            if crashed:
                say(f"{crashed}; it is started again. Its log: {child.log}")
            if child.relaunch_when_due():
                say(f"{child.process.name} started again")
        self._workers.reconcile()

    def wait_until_ready(self, timeout_seconds: float) -> None:
        """Waits for every program and one worker; says each that has become ready."""
        waiting: dict[str, Process] = {}
        said: set[str] = set()
        deadline = time.monotonic() + timeout_seconds
        while not self._stopping.asked:
            self.look_after()
            waiting = {child.process.name: child.process for child in self._all()}
            missing = {name: problem for name, process in waiting.items() if (problem := not_ready(process.ready_url))}
            self._say_ready(waiting, missing, said)
            if not missing:
                return
            if time.monotonic() > deadline:
                raise LocalError(_too_slow(missing, timeout_seconds))
            time.sleep(POLL_SECONDS)

    def stop(self, patience_seconds: float) -> None:
        """SIGTERM to all, and SIGKILL to what has not ended in time."""
        children = self._all()
        for child in children:
            child.terminate()
        deadline = time.monotonic() + patience_seconds
        while not all(child.has_ended() for child in children):
            if time.monotonic() > deadline or self._stopping.asked > 1:
                break
            time.sleep(POLL_SECONDS)
        for child in children:
            if not child.has_ended():
                say(f"{child.process.name} did not end by itself and is ended by force.")
            child.kill()

    def _all(self) -> list[ManagedProcess]:
        return [*self._children, *self._workers.children()]

    def _say_ready(self, waiting: Mapping[str, Process], missing: Mapping[str, str], said: set[str]) -> None:
        for name in waiting.keys() - missing.keys() - said:
            said.add(name)
            say(f"{name} is ready")


def _end(child: ManagedProcess) -> str:
    return last_lines(child.log) or "(it is empty)"


def _too_slow(missing: Mapping[str, str], seconds: float) -> str:
    told = "; ".join(f"{name}: {problem}" for name, problem in sorted(missing.items()))
    return f"Not ready after {seconds:.0f} s. {told}. The logs say more."
