"""Programs that start in a moment: forked from a process that has loaded them, in place of an interpreter for each.

Most of a test's time was spent in loading the same modules again. What such a program does is the same: it gets its
environment, its output and a session of its own before any of its code runs. The allocator's settings are those of a
worker for all of them: it reads them when an interpreter starts.
"""

import ast
import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import importlib.util
import json
import multiprocessing.util
import os
import queue
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imagemill.local.plan import MALLOC
from imagemill.local.process import kill_child, start_child

PROGRAMS = ("api", "worker", "writer", "journal", "camera", "analyzer", "alerter")
_START_SECONDS = 120
_PR_SET_PDEATHSIG = 1


class Launched:
    """A program, as far as `subprocess.Popen` is needed of it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = threading.Event()

    def end(self, code: int) -> None:
        self.returncode = code
        self._ended.set()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("a launched program", timeout or 0)
        return self.returncode

    def terminate(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGTERM)


class Launcher:
    """The process that has loaded all programs. It ends with this one, and they with it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="launch-")
        address = f"{self._folder.name}/socket"
        command = [sys.executable, __file__, address]
        with Path(self._folder.name, "log").open("wb") as log:
            self._process = start_child(command, environment={**os.environ, **MALLOC}, output=log)
        self._control = _connected(address, self._process)
        self._started: queue.SimpleQueue[Launched] = queue.SimpleQueue()
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, program: str, environment: Mapping[str, str], output: Path) -> Launched:
        """Start `python -m program`, or `python program` if it is a file; its output is added to a file."""
        asked = {"program": program, "environment": dict(environment), "output": str(output)}
        with self._lock:
            self._control.sendall(json.dumps(asked).encode() + b"\n")
            return self._started.get(timeout=_START_SECONDS)

    def close(self) -> None:
        kill_child(self._process)
        self._control.close()
        self._folder.cleanup()

    def _listen(self) -> None:
        launched: dict[int, Launched] = {}
        with contextlib.suppress(OSError, ValueError), self._control.makefile("rb") as lines:
            for line in lines:
                told = json.loads(line)
                if "started" in told:
                    launched[told["started"]] = Launched(told["started"])
                    self._started.put(launched[told["started"]])
                else:
                    launched.pop(told["ended"]).end(told["code"])


def _connected(address: str, process: "subprocess.Popen[bytes]") -> socket.socket:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        control = socket.socket(socket.AF_UNIX)
        try:
            control.connect(address)
            return control
        except OSError:
            control.close()
            log = Path(address).with_name("log").read_text()
            assert process.poll() is None, f"the launcher ended: {log}"
            assert time.monotonic() < deadline, f"the launcher does not come up: {log}"
            time.sleep(0.05)


# --- in the launcher ------------------------------------------------------------------------------


def _serve(address: str) -> None:
    for name in PROGRAMS:
        _load_what_it_imports(f"imagemill.{name}.__main__")
    gc.freeze()
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        control, _ = listener.accept()
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    rest = b""
    while True:
        for key, _ in selector.select():
            if key.fileobj is woken:
                woken.recv(4096)
                _tell_ends(control)
            else:
                came = control.recv(1 << 20)
                if not came:
                    return
                *lines, rest = (rest + came).split(b"\n")
                for line in lines:
                    _fork(json.loads(line), control, (control, woken, waking))


def _load_what_it_imports(module: str) -> None:
    """Not the module itself, which is to run as if for the first time."""
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    for node in ast.parse(Path(found.origin).read_text()).body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            parent = importlib.import_module(str(node.module))
            for alias in node.names:
                if not hasattr(parent, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")


def _tell_ends(control: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            told = {"ended": ended[0], "code": os.waitstatus_to_exitcode(ended[1])}
            control.sendall(json.dumps(told).encode() + b"\n")


def _fork(asked: Mapping[str, Any], control: socket.socket, ours: Sequence[socket.socket]) -> None:
    parent, pid = os.getpid(), os.fork()
    if pid:
        control.sendall(json.dumps({"started": pid}).encode() + b"\n")
        return
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for end in ours:
        end.close()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    output = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    os.environ.clear()
    os.environ.update(asked["environment"])
    if asked["program"].removesuffix(".py").endswith("worker"):
        _keep_spare_interpreter()
    os._exit(_run(asked["program"]))


def _keep_spare_interpreter() -> None:
    """What a worker's child processes are forked from is forked too: the first interpreter that it starts is this one.

    It is made now, as long as there is one thread only.
    """
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        ours.close()
        os._exit(_run_what_comes(theirs))
    theirs.close()
    spawn = multiprocessing.util.spawnv_passfds  # type: ignore[attr-defined]

    def hand_over(path: bytes, arguments: Sequence[str], descriptors: Sequence[int]) -> int:
        if "multiprocessing.forkserver" not in arguments[-1] or ours.fileno() < 0:
            return int(spawn(path, arguments, descriptors))
        asked = json.dumps([arguments[-1], list(descriptors)]).encode()
        socket.send_fds(ours, [asked], list(descriptors))
        ours.close()
        return pid

    multiprocessing.util.spawnv_passfds = hand_over  # type: ignore[attr-defined]


def _run_what_comes(control: socket.socket) -> int:
    """Wait for `python -c CODE` and its descriptors, and be that; end with the one who would have asked."""
    came, descriptors, _, _ = socket.recv_fds(control, 1 << 20, 8)
    control.close()
    if not came:
        return 0
    code, wanted = json.loads(came)
    # Above all that either side has, so that none is overwritten before it is moved.
    held = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 512) for descriptor in descriptors]
    os.closerange(3, 512)
    for descriptor, number in zip(held, wanted, strict=True):
        os.dup2(descriptor, number, inheritable=False)
        os.close(descriptor)
    try:
        exec(code, {"__name__": "__main__"})  # the standard library's, as a new interpreter gets it
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _run(program: str) -> int:
    code = 0
    sys.argv = [program]
    try:
        if program.endswith(".py"):
            runpy.run_path(program, run_name="__main__")
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    # What an interpreter does at its end.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    _serve(sys.argv[1])
