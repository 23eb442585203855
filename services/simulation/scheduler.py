"""Processes and their threads as greenlets, and a clock that goes on when all of them wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greenlet import getcurrent, greenlet

from simulation.tape import Tape

EPOCH = 1_900_000_000.0
_MOST_STEPS = 20_000
FOREVER = float("inf")


class Killed(BaseException):
    """The process of this thread was killed; no `except Exception` of our code may see it."""


class Endless(Exception):
    """A run that does not come to its end: an error of the simulation, or a loop without a pause."""


@dataclass(eq=False)
class Process:
    """A program that runs. A restarted one is another process of the same name."""

    name: str
    clock_ahead: float = 0.0
    alive: bool = True
    frozen_until: float = 0.0
    steps: int = 0
    at_death: list[Callable[[], None]] = field(default_factory=list)


class Task:
    """A thread of a process."""

    __slots__ = ("body", "heard", "process", "until", "wake_at")

    def __init__(self, process: Process, body: greenlet, wake_at: float) -> None:
        self.process, self.body, self.wake_at = process, body, wake_at
        self.until: Callable[[], object] | None = None
        self.heard = -1


class Scheduler:
    """Lets one task go on at a time, as the tape chooses."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.now = 0.0
        self.steps = 0
        self.bell = 0
        self.story: list[str] = []
        self.errors: list[str] = []
        self._tasks: list[Task] = []
        self._ready: list[Task] = []
        self._looked_at = (-1.0, -1)
        self._current: Task | None = None
        self._hub = getcurrent()

    @property
    def process(self) -> Process | None:
        """Whose turn it is."""
        return self._current.process if self._current else None

    def tell(self, what: str) -> None:
        """Add a line to the story."""
        name = self._current.process.name if self._current else "world"
        self.story.append(f"{self.now:10.2f}  {name:<10} {what}")

    def spawn(self, process: Process, function: Callable[[], Any], after: float = 0.0) -> None:
        """Start a thread of a process."""
        task = Task(process, greenlet(lambda: self._run(function), parent=self._hub), self.now + after)
        self._tasks.append(task)
        if task.wake_at <= self.now:
            self._ready.append(task)

    def _run(self, function: Callable[[], Any]) -> None:
        try:
            function()
        except Killed:
            return
        except Exception as error:
            self.tell(f"DIED OF {error!r}")
            if self._current and self._current.process.alive:
                self.kill(self._current.process)

    def pause(self, seconds: float = 0.0, until: Callable[[], object] | None = None) -> None:
        """Give the others a turn, and go on after some seconds, or as soon as something is so.

        What may make it so must `ring`.
        """
        task = self._current
        if task is None:  # the world's own look at things
            return
        task.wake_at, task.until, task.heard = self.now + seconds, until, -1
        self._hub.switch()
        if not task.process.alive:
            raise Killed

    def ring(self) -> None:
        """Something changed for which somebody may wait."""
        self.bell += 1

    def kill(self, process: Process) -> None:
        """End a process as SIGKILL does: its threads never go on."""
        process.alive = False
        for end in process.at_death:
            end()
        self._tasks = [task for task in self._tasks if task.process is not process]
        self._ready = [task for task in self._ready if task.process is not process]
        self.ring()

    def run(self, done: Callable[[], bool], until: float) -> bool:
        """Go on until it is done (looked at when time goes on); False when that is not so by then."""
        while True:
            ready = self._found_ready()
            if not ready:
                if done():
                    return True
                following = min((max(t.wake_at, t.process.frozen_until) for t in self._tasks), default=until)
                if following >= until:
                    self.now = until
                    return done()
                self.now = following
                continue
            self._step(ready[self.tape.choose(len(ready))])

    def _found_ready(self) -> list[Task]:
        """Those that can go on; looked for anew when time went on or somebody rang."""
        now, bell = self.now, self.bell
        if self._looked_at == (now, bell):
            return self._ready
        self._looked_at, found = (now, bell), []
        for task in self._tasks:
            if task.process.frozen_until > now:
                continue
            if task.until is not None and task.heard != bell:
                task.heard = bell
                if task.until():
                    task.wake_at, task.until = now, None
            if task.wake_at <= now:
                found.append(task)
        self._ready = found
        return found

    def _step(self, task: Task) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise Endless("\n".join(self.story[-40:]))
        self._ready.remove(task)
        self._current = task
        task.process.steps += 1
        try:
            task.body.switch()
        finally:
            self._current = None
        if task.body.dead:
            if task in self._tasks:
                self._tasks.remove(task)
        elif task.wake_at <= self.now and task.process.alive:
            # As the last in the row, so that 0, again and again, means: one after the other.
            self._ready.append(task)

    def close(self) -> None:
        """End all threads, so that nothing keeps the run in memory."""
        tasks, self._tasks, self._ready = self._tasks, [], []
        for task in tasks:
            task.body.throw()

    def skip(self, seconds: float) -> None:
        """Let time pass in which nobody has a turn."""
        self.now += seconds
