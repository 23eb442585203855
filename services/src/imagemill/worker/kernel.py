"""What Linux takes from a process for good: system calls (seccomp) and files (Landlock); a warning where it cannot."""

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_LIBC = ctypes.CDLL(None, use_errno=True)

# --- seccomp: linux/seccomp.h, linux/filter.h, linux/audit.h --------------------------------------------

_SECCOMP_SET_MODE_FILTER, _FILTER_FLAG_TSYNC = 1, 1
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_AT_NUMBER, _AT_ARCHITECTURE = 0, 4
_ALLOW, _REFUSE = 0x7FFF_0000, 0x0005_0000 | errno.EPERM
_X32 = 0x4000_0000
"""From this number on x86-64 has the same calls once more."""
# By machine: the architecture's number, that of seccomp(2), and calls that work on pictures has no use for: network,
# other programs, other processes' memory and signals, keys, and the kernel's larger surfaces.
_MACHINES: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "x86_64": (0xC000_003E, 317, (
        41, 42, 43, 44, 49, 50, 288,  # socket connect accept sendto bind listen accept4
        59, 322, 62, 101, 310, 311,  # execve execveat kill ptrace process_vm_readv -writev
        165, 248, 249, 250, 272, 298, 304, 308,  # mount add_key .. keyctl unshare perf_event_open .. setns
        321, 323, 424, 425, 434, 438,  # bpf userfaultfd pidfd_send_signal io_uring_setup pidfd_open pidfd_getfd
    )),
    "aarch64": (0xC000_00B7, 277, (
        198, 203, 202, 206, 200, 201, 242, 221, 281, 129, 117, 270, 271, 40, 217, 218, 219, 97, 241, 265, 268,
        280, 282, 424, 425, 434, 438,
    )),
}  # fmt: skip

# --- Landlock: linux/landlock.h -------------------------------------------------------------------------

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_RULESET_VERSION, _PATH_BENEATH = 1, 1
_READ = 1 << 2 | 1 << 3
_CHANGE = 1 << 1 | sum(1 << bit for bit in range(4, 13))
_SINCE = {2: 1 << 13, 3: 1 << 14}
"""Moving between folders, and truncating, by the version that knows them."""
_TCP, _TCP_SINCE = 0b11, 4


def die_with_parent() -> None:
    """Let the system kill this process when the thread ends that started it, in whatever way."""
    if sys.platform == "linux" and _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        _warn("its parent's end")


def gain_no_privileges() -> None:
    """No program that this process starts has more rights than it has itself."""
    if sys.platform == "linux" and _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        _warn("privileges")


def give_up_system_calls() -> None:
    """No network, no other programs, no look at other processes, for all threads of this process."""
    known = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or known is None:
        log.warning("this machine does not confine the decoder process: no seccomp filter for it", machine=os.uname())
        return
    architecture, seccomp, refused = known
    code = filter_of(architecture, refused)
    instructions = ctypes.create_string_buffer(b"".join(code))
    program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(instructions))
    if _LIBC.syscall(seccomp, _SECCOMP_SET_MODE_FILTER, _FILTER_FLAG_TSYNC, program):
        _warn("system calls")


def filter_of(architecture: int, refused: Sequence[int]) -> list[bytes]:
    """The filter's instructions: refused calls, and those of another architecture, end with EPERM."""
    # A jump counts the instructions it leaves out; the last two of all are to allow and to refuse.
    calls = [_instruction(_JUMP_IF_EQUAL, number, if_true=len(refused) - at) for at, number in enumerate(refused)]
    return [
        _instruction(_LOAD, _AT_ARCHITECTURE),
        _instruction(_JUMP_IF_EQUAL, architecture, if_false=len(refused) + 3),
        _instruction(_LOAD, _AT_NUMBER),
        _instruction(_JUMP_IF_AT_LEAST, _X32, if_true=len(refused) + 1),
        *calls,
        _instruction(_RETURN, _ALLOW),
        _instruction(_RETURN, _REFUSE),
    ]


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def give_up_files(readable: Iterable[Path]) -> None:
    """Change no file any more, read those beneath `readable` alone; what is open stays open. Newer kernels: no TCP."""
    if sys.platform != "linux":
        return
    version = _LIBC.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _RULESET_VERSION)
    if version < 1:
        _warn("files")
        return
    change = _CHANGE | sum(bit for since, bit in _SINCE.items() if version >= since)
    handled = struct.pack("QQ", change | _READ, _TCP)[: 16 if version >= _TCP_SINCE else 8]
    rules = _LIBC.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    for path in readable:
        _allow_to_read(rules, path)
    if _LIBC.syscall(_RESTRICT_SELF, rules, 0):
        _warn("files")
    os.close(rules)


def _allow_to_read(rules: int, path: Path) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    access = _READ if path.is_dir() else _READ & 1 << 2
    _LIBC.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", access, place), 0)
    os.close(place)


def _warn(what: str) -> None:
    log.warning("the kernel does not confine the decoder process", of=what, error=os.strerror(ctypes.get_errno()))
