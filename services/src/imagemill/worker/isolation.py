"""Work in child processes: what a decoder's bug does, it does where there are no secrets and nobody else's picture."""

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import reduction
from multiprocessing.connection import Connection
from multiprocessing.forkserver import ensure_running

from prometheus_client import Counter

from imagemill.admission import headers
from imagemill.concurrency.retry import Stopped
from imagemill.recipes import ImageError, Picture, Recipe, single_threaded
from imagemill.worker import exchange, kernel
from imagemill.worker.confinement import allow_cpu, close_off, confine

# Children are forked from a process that has loaded OpenCV and has seen no picture: they start in a fraction of the
# time, and share its memory.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
_START_TIMEOUT_SECONDS = 60
_MEGAPIXEL = 1_000_000
_READY = b"ready"
DEATHS = Counter("imagemill_decoder_deaths", "Child processes that work on images and ended before they were told to")


class Crashed(Exception):
    """The picture ends processes that work on it, or never comes to an end."""


class Died(Exception):
    """The child died in mid-work; that the picture is why is not known yet."""


class NotStarted(Exception):
    """The child did not come up, whatever the picture is."""


@dataclass(frozen=True)
class WorkLimits:
    """Pixels of the largest picture; seconds for one, by the clock; CPU seconds for each of its megapixels.

    Previews have `preview_pixels` on the longer side; 0 makes none.
    """

    max_pixels: int
    timeout_seconds: float
    cpu_seconds_per_megapixel: float = 10.0
    preview_pixels: int = 0

    def cpu_seconds(self, pixels: int) -> float:
        """CPU time for a picture; never more than the clock gives it."""
        return min(self.timeout_seconds, self.cpu_seconds_per_megapixel * pixels / _MEGAPIXEL)


class DecoderProcess:
    """One child process, the pipe to it, and memory that both see."""

    def __init__(self, limits: WorkLimits) -> None:
        self._pipe, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(target=_serve, args=(theirs, limits), daemon=True, name="isolated")
        try:
            self._process.start()
        except (OSError, EOFError) as error:
            raise NotStarted(
                "what the child processes for pictures are forked from has ended; it is begun anew"
            ) from error
        finally:
            theirs.close()
        descriptor, size = exchange.shared_memory(limits.max_pixels)
        try:
            self._shared = exchange.SharedBytes(descriptor, size)
            self._hand_over(descriptor, size)
        except (OSError, EOFError) as error:
            self.kill()
            raise NotStarted(
                "the child process for pictures does not start; the machine may be overloaded, or short of memory"
            ) from error
        finally:
            os.close(descriptor)

    def _hand_over(self, descriptor: int, size: int) -> None:
        reduction.send_handle(self._pipe, descriptor, self._process.pid)
        self._pipe.send_bytes(str(size).encode())
        if not self._pipe.poll(_START_TIMEOUT_SECONDS):
            raise TimeoutError
        self._pipe.recv_bytes(exchange.MAX_MESSAGE_BYTES)

    def apply(self, recipe: Recipe, data: bytes, timeout_seconds: float) -> Picture:
        """Like recipe.apply; raises Crashed when it takes too long, and Died."""
        try:
            count = self._shared.put(data)
            self._pipe.send_bytes(exchange.question(recipe, count))
            if not self._pipe.poll(timeout_seconds):
                raise Crashed(f"work on the picture did not end within {timeout_seconds:g} s")
            answer = self._pipe.recv_bytes(exchange.MAX_MESSAGE_BYTES)
        except (EOFError, OSError) as error:
            raise self._end() from error
        try:
            picture = exchange.read_answer(answer, self._shared)
        except ValueError as error:
            raise Died(f"the process which worked on the picture gave an answer that is none: {error}") from error
        self._shared.free(max(count, len(picture.data)))
        return picture

    def _end(self) -> Exception:
        DEATHS.inc()
        self._process.join(1)
        code = self._process.exitcode
        if code == -signal.SIGXCPU:
            return Crashed("work on the picture takes more CPU time than any work on so many pixels may")
        return Died(f"the picture killed the process which worked on it (exit code {code})")

    def kill(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.join(5)
        self._pipe.close()


class IsolatedWorker:
    """Applies recipes in a child, one at a time; the child is made when first needed, and anew after a crash."""

    def __init__(self, limits: WorkLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._child: DecoderProcess | None = None
        self._closing = False

    def apply(self, recipe: Recipe, data: bytes, begin: Callable[[], None]) -> Picture:
        """Like recipe.apply, but raises Crashed instead of dying, NotStarted, and Stopped after `close`.

        `begin` is called when it is this picture's turn, and may raise.
        """
        with self._lock:
            begin()
            # It may have been killed for another's sake: by an operator, or when memory was short.
            return self._applied(recipe, data, again=lambda: None)

    def apply_first(self, recipe: Recipe, data: bytes, begin: Callable[[], None]) -> Picture:
        """The same for a picture that nobody worked on yet: `begin` is called when it has taken one child down."""
        with self._lock:
            return self._applied(recipe, data, again=begin)

    def start(self) -> None:
        """Do nothing: the child is made when it is needed."""

    def close(self, timeout_seconds: float = 0) -> bool:  # noqa: ARG002 - it is killed
        """End the child; work in it is lost, and Stopped is raised where it is waited for."""
        self._closing = True
        self._discard()
        return True

    def _applied(self, recipe: Recipe, data: bytes, again: Callable[[], None]) -> Picture:
        try:
            return self._attempt(recipe, data)
        except Died:
            again()
        try:
            return self._attempt(recipe, data)
        except Died as error:
            raise Crashed(str(error)) from error

    def _attempt(self, recipe: Recipe, data: bytes) -> Picture:
        try:
            self._child = self._child or DecoderProcess(self._limits)
            return self._child.apply(recipe, data, self._limits.timeout_seconds)
        except (ImageError, RuntimeError):
            raise  # of the picture, or of our own code: the child goes on
        except Exception:
            self._discard()
            if self._closing:
                raise Stopped("work in the child process") from None
            raise

    def _discard(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


class IsolatedWorkers:
    """As many as there are threads: each first attempt has a child for itself, and so has each suspicious picture."""

    def __init__(self, limits: WorkLimits, threads: int) -> None:
        self._all = [IsolatedWorker(limits) for _ in range(threads)]
        self._idle: queue.SimpleQueue[IsolatedWorker] = queue.SimpleQueue()
        for worker in self._all:
            self._idle.put(worker)

    def apply_first(self, recipe: Recipe, data: bytes, begin: Callable[[], None]) -> Picture:
        """See IsolatedWorker."""
        worker = self._idle.get()
        try:
            return worker.apply_first(recipe, data, begin)
        finally:
            self._idle.put(worker)

    def start(self) -> None:
        """Load what the children are forked from; they are made when they are needed."""
        ensure_running()

    def close(self, timeout_seconds: float = 0) -> bool:
        """End all children."""
        ended = [worker.close(timeout_seconds) for worker in self._all]
        return all(ended)


def _serve(pipe: Connection, limits: WorkLimits) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which finishes what was begun
    kernel.die_with_parent()
    single_threaded()
    with contextlib.suppress(EOFError):
        shared = _shared(pipe)
        confine(limits.max_pixels)
        close_off()
        pipe.send_bytes(_READY)
        while True:
            recipe, count = exchange.read_question(pipe.recv_bytes())
            data = shared.take(count)
            allow_cpu(limits.cpu_seconds(_pixels(data)))
            pipe.send_bytes(_answer(recipe, data, limits.preview_pixels, shared))


def _shared(pipe: Connection) -> exchange.SharedBytes:
    descriptor = reduction.recv_handle(pipe)
    try:
        return exchange.SharedBytes(descriptor, int(pipe.recv_bytes()))
    finally:
        os.close(descriptor)


def _pixels(data: bytes) -> int:
    try:
        info = headers.read(data)
    except headers.HeaderError:
        return 0
    return info.width * info.height


def _answer(recipe: Recipe, data: bytes, preview_pixels: int, shared: exchange.SharedBytes) -> bytes:
    try:
        return exchange.picture_answer(recipe.apply(data, preview_pixels), shared)
    except MemoryError:
        detail = "work on the picture takes more memory than on any picture of the largest size"
        return exchange.error_answer(ImageError("crashed", detail))
    except Exception as error:
        return exchange.error_answer(error)
