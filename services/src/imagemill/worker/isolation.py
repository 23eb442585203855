"""Work in a child process: a picture which was given out before and came back may be one that kills its worker."""

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from imagemill.concurrency.retry import Stopped
from imagemill.recipes import ImageError, Picture, Recipe, single_threaded
from imagemill.worker.confinement import allow_cpu, confine

_SPAWN = multiprocessing.get_context("spawn")
_START_TIMEOUT_SECONDS = 60


class Crashed(Exception):
    """The picture ends processes that work on it, or never comes to an end."""


class Died(Exception):
    """The child died in mid-work; that the picture is why is not known yet."""


class NotStarted(Exception):
    """The child did not come up, whatever the picture is."""


class DecoderProcess:
    """One child process and the pipe to it."""

    def __init__(self, max_pixels: int, cpu_seconds: float, preview_pixels: int = 0) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        arguments = (theirs, max_pixels, cpu_seconds, preview_pixels)
        self._process = _SPAWN.Process(target=_serve, args=arguments, daemon=True, name="isolated")
        self._process.start()
        theirs.close()
        if not self._pipe.poll(_START_TIMEOUT_SECONDS):
            self.kill()
            raise NotStarted("the child process for suspicious pictures does not start; the machine may be overloaded")
        self._pipe.recv()

    def ask(self, question: tuple[Recipe, bytes], timeout_seconds: float) -> Any:
        """The child's answer; raises Crashed when it takes too long, and Died."""
        try:
            self._pipe.send(question)
            if not self._pipe.poll(timeout_seconds):
                raise Crashed(f"work on the picture did not end within {timeout_seconds:g} s")
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(1)
            code = self._process.exitcode
            raise Died(f"the picture killed the process which worked on it (exit code {code})") from error

    def kill(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.join(5)
        self._pipe.close()


class IsolatedWorker:
    """Applies recipes in a child, one at a time; the child is made when first needed, and anew after a crash."""

    def __init__(self, timeout_seconds: float, max_pixels: int, preview_pixels: int = 0) -> None:
        self._timeout, self._max_pixels, self._preview_pixels = timeout_seconds, max_pixels, preview_pixels
        self._lock = threading.Lock()
        self._child: DecoderProcess | None = None
        self._closing = False

    def apply(self, recipe: Recipe, data: bytes, begin: Callable[[], None]) -> Picture:
        """Like recipe.apply, but raises Crashed instead of dying, NotStarted, and Stopped after `close`.

        `begin` is called when it is this picture's turn, and may raise.
        """
        with self._lock:
            begin()
            try:
                answer = self._ask(recipe, data)
            except Died:
                # It may have been killed for another's sake: by an operator, or when memory was short.
                try:
                    answer = self._ask(recipe, data)
                except Died as error:
                    raise Crashed(str(error)) from error
        if isinstance(answer, Picture):
            return answer
        raise answer

    def start(self) -> None:
        """Do nothing: the child is made when it is needed."""

    def close(self, timeout_seconds: float = 0) -> bool:  # noqa: ARG002 - it is killed
        """End the child; work in it is lost, and Stopped is raised where it is waited for."""
        self._closing = True
        self._discard()
        return True

    def _ask(self, recipe: Recipe, data: bytes) -> Any:
        try:
            self._child = self._child or DecoderProcess(self._max_pixels, self._timeout, self._preview_pixels)
            return self._child.ask((recipe, data), self._timeout)
        except Exception:
            self._discard()
            if self._closing:
                raise Stopped("work in the child process") from None
            raise

    def _discard(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


def _serve(pipe: Connection, max_pixels: int, cpu_seconds: float, preview_pixels: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which finishes what was begun
    single_threaded()
    confine(max_pixels)
    pipe.send("ready")
    with contextlib.suppress(EOFError):
        while True:
            recipe, data = pipe.recv()
            allow_cpu(cpu_seconds)
            pipe.send(_applied(recipe, data, preview_pixels))


def _applied(recipe: Recipe, data: bytes, preview_pixels: int) -> Picture | Exception:
    try:
        return recipe.apply(data, preview_pixels)
    except ImageError as error:
        return error
    except MemoryError:
        return ImageError("crashed", "work on the picture takes more memory than on any picture of the largest size")
    except Exception as error:
        return RuntimeError(f"in the child process: {error!r}")  # itself it may not go through the pipe
