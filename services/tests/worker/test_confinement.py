"""What the child process for suspicious pictures has and may do."""

import multiprocessing.forkserver
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import pictures
from imagemill import recipes
from imagemill.recipes import ImageError, Picture
from imagemill.worker import exchange, isolation
from imagemill.worker.confinement import limits
from imagemill.worker.isolation import Crashed, DecoderProcess, NotStarted, WorkLimits
from mill import wait_for

MIB = 1 << 20
SECRETS = {
    "AMQP_URL": "amqp://me:hunter2@host/",
    "IMAGEMILL_COUCHDB_URL": "http://me:hunter2@host/",
    "API_TOKEN": "hunter2",
}


def said(program: str, **environment: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_child_has_no_secret_in_its_environment_and_cannot_look_into_its_parent() -> None:
    told = said(
        """
import ctypes
from pathlib import Path
from imagemill.worker.confinement import hide_secrets
from imagemill.worker.isolation import DecoderProcess, WorkLimits
hide_secrets()
child = DecoderProcess(WorkLimits(1_000_000, 60))
print(Path(f"/proc/{child._process.pid}/environ").read_text().replace(chr(0), chr(10)))
print("dumpable", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
child.kill()
""",
        **SECRETS,
    )
    assert "PATH=" in told
    assert "dumpable 0" in told
    assert not [secret for secret in ("hunter2", *SECRETS) if secret in told]


@pytest.fixture(scope="module")
def child():
    made = DecoderProcess(WorkLimits(4_000_000, 60, preview_pixels=320))
    yield made
    made.kill()


def test_the_child_has_limits_and_gains_no_privileges(child: DecoderProcess) -> None:
    process = Path(f"/proc/{child._process.pid}")
    assert "NoNewPrivs:\t1" in (process / "status").read_text()
    lines = {line[:25].strip(): line[25:].split()[:2] for line in (process / "limits").read_text().splitlines()}
    assert lines["Max core file size"] == ["0", "0"]
    assert lines["Max file size"] == ["0", "0"]
    assert lines["Max open files"] == ["64", "64"]
    assert 1024 * MIB < int(lines["Max address space"][1]) < 8192 * MIB


@pytest.mark.parametrize("recipe", ["gray", "edges"])
def test_the_largest_picture_still_fits(child: DecoderProcess, recipe: str) -> None:
    picture = child.apply(recipes.load(None)[recipe], pictures.png16(2000, 2000, channels=4), 120)
    assert isinstance(picture, Picture), picture


def test_previews_are_made_there_too(child: DecoderProcess) -> None:
    picture = child.apply(recipes.load(None)["gray"], pictures.photo_jpeg(900, 600), 120)
    assert picture.preview.startswith(b"RIFF")
    assert picture.preview_of_original.startswith(b"RIFF")


def test_its_cpu_time_is_limited_from_picture_to_picture(child: DecoderProcess) -> None:
    child.apply(recipes.load(None)["gray"], pictures.png(), 60)
    lines = (Path(f"/proc/{child._process.pid}") / "limits").read_text().splitlines()
    (cpu,) = [line[25:].split()[0] for line in lines if line.startswith("Max cpu time")]
    assert 5 <= int(cpu) <= 30


def test_the_limits_are_kept(tmp_path: Path) -> None:
    told = said(
        f"""
from imagemill.worker import confinement
confinement.confine(1_000_000)
for what in (lambda: bytearray(2 << 30), lambda: [open("/dev/null") for _ in range(100)],
             lambda: open({str(tmp_path / "new")!r}, "wb", buffering=0).write(b"x")):
    try:
        what()
    except (MemoryError, OSError) as error:
        print(type(error).__name__)
"""
    )
    assert told.split() == ["MemoryError", "OSError", "OSError"]


def test_endless_work_is_ended_by_the_system() -> None:
    program = """
from imagemill.worker import confinement
confinement._CPU_MARGIN_SECONDS = 1
confinement.allow_cpu(0)
while True:
    pass
"""
    ended = subprocess.run([sys.executable, "-c", program], timeout=120, check=False)
    assert ended.returncode == -24


def test_memory_grows_with_the_pixels_that_are_taken() -> None:
    small, large = (limits(pixels, 100 * MIB)[resource.RLIMIT_AS] for pixels in (1_000_000, 100_000_000))
    assert small > 1100 * MIB
    assert large - small == 99_000_000 * 64


REFUSED = {
    "network": "import socket; socket.socket()",
    "another program": "import os; os.execv('/bin/true', ['true'])",
    "its parent": "import os, signal; os.kill(os.getppid(), 0)",
    "a file to read": "open('/etc/hostname')",
    "a folder to read": "import os; os.listdir('/proc/1')",
    "a file to make": "open('new', 'w')",
    "a file to remove": "import os; os.remove('there')",
}


@pytest.mark.parametrize("what", REFUSED)
def test_closed_off_it_has_nothing_but_its_pipe_and_libraries(what: str, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    told = said(
        f"""
import os
os.chdir({str(tmp_path)!r})
from imagemill.worker import confinement, kernel
kernel.gain_no_privileges()
confinement.close_off()
try:
    {REFUSED[what]}
except PermissionError:
    print("refused")
import wave  # a library may still be loaded
print("ok")
"""
    )
    assert told.split() == ["refused", "ok"]
    assert (tmp_path / "there").exists()


def test_a_kernel_without_landlock_is_told_of_and_the_rest_is_done() -> None:
    told = said(
        """
import socket
from imagemill.worker import confinement, kernel
kernel._CREATE_RULESET = 9999
kernel.gain_no_privileges()
confinement.close_off()
try:
    socket.socket()
except PermissionError:
    print("refused")
"""
    )
    assert "the kernel does not confine the decoder process" in told
    assert told.endswith("refused\n")


def test_more_megapixels_may_take_more_cpu_time_up_to_the_timeout() -> None:
    limits = WorkLimits(100_000_000, 120, cpu_seconds_per_megapixel=10)
    assert [limits.cpu_seconds(pixels) for pixels in (0, 500_000, 2_000_000, 90_000_000)] == [0, 5, 20, 120]


def test_work_that_takes_more_cpu_time_than_its_size_allows_is_ended() -> None:
    child = DecoderProcess(WorkLimits(30_000_000, 170, cpu_seconds_per_megapixel=0.001))
    with pytest.raises(Crashed, match="CPU time"):
        child.apply(recipes.load(None)["denoise"], pictures.photo_jpeg(5000, 4000), 170)
    child.kill()


def test_a_child_that_cannot_start_is_told_apart_from_a_picture_that_kills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_serve", os._exit)  # its arguments are wrong for it
    with pytest.raises(NotStarted):
        DecoderProcess(WorkLimits(1_000_000, 60))


def test_a_first_attempt_that_dies_counts_and_has_a_second_one() -> None:
    worker, begun = isolation.IsolatedWorker(WorkLimits(1_000_000, 60)), []
    gray = recipes.load(None)["gray"]
    assert worker.apply_first(gray, pictures.png(), lambda: begun.append(1)) == gray.apply(pictures.png())
    assert not begun
    worker._child._process.kill()
    assert worker.apply_first(gray, pictures.png(), lambda: begun.append(2)) == gray.apply(pictures.png())
    assert begun == [2]
    worker.close()


@pytest.mark.parametrize("answer", [
    b"", b"[]", b"{", b"[" * 100_000, b'{"picture": [[1, null, null], "image/png", 1, 1]}',
    b'{"picture": [[-1, null, null], "image/png", 1, 1, false]}',
    b'{"picture": [[1, -1, 1], "image/png", 1, 1, false]}',
    b'{"picture": [[99999999999, null, null], "image/png", 1, 1, false]}',
    b'{"picture": [1, "image/png", 1, 1, false]}',
    b'{"picture": [[1, 67108864, 99999], "image/png", 1, 1, false]}',
    b'{"picture": [["1", 1, 1], "image/png", 1, 1, false]}',
    b'{"picture": [[null, 1, 1], "image/png", 1, 1, false]}', b'{"picture": [[1], "image/png", 1, 1, false]}',
    b'{"picture": {"a": 1}}', b'{"image_error": ["a"]}', b'{"image_error": 1}', b"\x80\x04\x95",
])  # fmt: skip
def test_an_answer_of_a_child_that_was_taken_over_is_not_believed(answer: bytes) -> None:
    descriptor, size = exchange.shared_memory(1000)
    with pytest.raises(ValueError, match=r"\w"):
        exchange.read_answer(answer, exchange.SharedBytes(descriptor, size))


def test_what_a_child_made_is_what_the_thread_would_have_made(child: DecoderProcess) -> None:
    for recipe in recipes.load(None).values():
        for data in pictures.one_of_each().values():
            assert child.apply(recipe, data, 120) == recipe.apply(data, 320)
    with pytest.raises(ImageError, match="truncated"):
        child.apply(recipes.load(None)["gray"], pictures.truncated_jpeg(), 60)


def test_when_what_children_are_forked_from_is_killed_no_picture_is_to_blame() -> None:
    # The last one here: the children of the others go with it.
    workers, begun = isolation.IsolatedWorkers(WorkLimits(1_000_000, 60), 1), []
    workers.start()
    os.kill(multiprocessing.forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    gray = recipes.load(None)["gray"]

    def stored() -> bool:
        try:
            return workers.apply_first(gray, pictures.png(), lambda: begun.append(1)) == gray.apply(pictures.png())
        except NotStarted:  # the system had not said yet that it is gone
            return False

    wait_for(stored, "the picture")
    assert not begun
    workers.close()
