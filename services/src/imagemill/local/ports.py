"""Ports on the loopback interface: free ones to choose, and who holds one that is taken."""

import contextlib
import os
import random
import socket
import sys
from collections import deque
from pathlib import Path

# Below the range from which Linux takes the ports of outgoing connections: a port chosen here is still free
# when a server that was stopped comes back to it.
_CHOICE = range(15_000, 32_000)
_MOST_KEPT = 256
_kept: deque[int] = deque()
_LISTENING = "0A"


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """`count` different ports that nothing listens on, and that nobody else gets here as long as this process runs."""
    found: list[int] = []
    for port in random.SystemRandom().sample(_CHOICE, len(_CHOICE)):
        if len(found) == count:
            break
        if _keep(port):
            found.append(port)
    return found


def _keep(port: int) -> bool:
    """Whether the port is now kept from all who choose one: only one socket can be bound without SO_REUSEADDR.

    With the option set afterwards, a server may listen beside it which sets it too, as servers do; so says Linux,
    elsewhere the port is let go. The oldest of many are let go as well: their servers have come long since.
    """
    with socket.socket() as keeper:
        try:
            keeper.bind(("127.0.0.1", port))
        except OSError:
            return False
        if sys.platform == "linux":
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _kept.append(keeper.detach())
    if len(_kept) > _MOST_KEPT:
        os.close(_kept.popleft())
    return True


def accepts(port: int, timeout_seconds: float = 1.0) -> bool:
    """Whether something accepts connections on 127.0.0.1:`port`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds):
            return True
    except OSError:
        return False


def holder(port: int) -> str | None:
    """`program (pid 123)` of who listens on the port, when this user may see it."""
    pid = listener(port)
    return None if pid is None else f"{_command(Path(f'/proc/{pid}'))} (pid {pid})"


def listener(port: int) -> int | None:
    """The process that listens on the port, when this user may see it; the oldest of several."""
    inodes = _listening_inodes(port)
    found = [int(process.name) for process in Path("/proc").glob("[0-9]*") if inodes and _holds(process, inodes)]
    return min(found, default=None)


def _listening_inodes(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    return inodes


def _holds(process: Path, inodes: set[str]) -> bool:
    with contextlib.suppress(OSError):
        return any(_link(entry) in inodes for entry in (process / "fd").iterdir())
    return False


def _link(entry: Path) -> str:
    with contextlib.suppress(OSError):
        return str(entry.readlink())
    return ""


def _command(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a program"
