"""Work in a child process: a picture which was given out before and came back may be one that kills its worker."""

import contextlib
import multiprocessing
import threading
from multiprocessing.connection import Connection
from typing import Any

from imagemill.recipes import ImageError, Picture, Recipe, single_threaded

_SPAWN = multiprocessing.get_context("spawn")
_START_TIMEOUT_SECONDS = 60


class Crashed(Exception):
    """The child died, or did not come to an end, over this picture."""


class DecoderProcess:
    """One child process and the pipe to it."""

    def __init__(self) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs,), daemon=True, name="isolated")
        self._process.start()
        theirs.close()
        if not self._pipe.poll(_START_TIMEOUT_SECONDS):
            self.kill()
            raise Crashed("the child process for suspicious pictures does not start")
        self._pipe.recv()

    def ask(self, question: tuple[Recipe, bytes], timeout_seconds: float) -> Any:
        """The child's answer; raises Crashed when there is none."""
        try:
            self._pipe.send(question)
            if not self._pipe.poll(timeout_seconds):
                raise Crashed(f"work on the picture did not end within {timeout_seconds:g} s")
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(1)
            code = self._process.exitcode
            raise Crashed(f"the picture killed the process which worked on it (exit code {code})") from error

    def kill(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.join(5)
        self._pipe.close()


class IsolatedWorker:
    """Applies recipes in a child, one at a time; the child is made when first needed, and anew after a crash."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._child: DecoderProcess | None = None

    def apply(self, recipe: Recipe, data: bytes) -> Picture:
        """Like recipe.apply; raises Crashed instead of dying."""
        with self._lock:
            self._child = self._child or DecoderProcess()
            try:
                answer = self._child.ask((recipe, data), self._timeout)
            except Crashed:
                self._discard()
                raise
        if isinstance(answer, Picture):
            return answer
        raise answer

    def start(self) -> None:
        """Do nothing: the child is made when it is needed."""

    def close(self, timeout_seconds: float = 0) -> bool:  # noqa: ARG002 - it is killed
        """End the child; work in it is lost, and Crashed is raised where it is waited for."""
        self._discard()
        return True

    def _discard(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


def _serve(pipe: Connection) -> None:
    single_threaded()
    pipe.send("ready")
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            recipe, data = pipe.recv()
            pipe.send(_applied(recipe, data))


def _applied(recipe: Recipe, data: bytes) -> Picture | ImageError:
    try:
        return recipe.apply(data)
    except ImageError as error:
        return error
