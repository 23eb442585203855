"""What the child process for suspicious pictures has and may do."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import pictures
from imagemill import recipes
from imagemill.recipes import Picture
from imagemill.worker.confinement import limits
from imagemill.worker.isolation import DecoderProcess

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
from imagemill.worker.isolation import DecoderProcess
hide_secrets()
child = DecoderProcess(1_000_000, 60)
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
    made = DecoderProcess(4_000_000, 60, 320)
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
    picture = child.ask((recipes.load(None)[recipe], pictures.png16(2000, 2000, channels=4)), 120)
    assert isinstance(picture, Picture), picture


def test_previews_are_made_there_too(child: DecoderProcess) -> None:
    picture = child.ask((recipes.load(None)["gray"], pictures.photo_jpeg(900, 600)), 120)
    assert picture.preview.startswith(b"RIFF")
    assert picture.preview_of_original.startswith(b"RIFF")


def test_its_cpu_time_is_limited_from_picture_to_picture(child: DecoderProcess) -> None:
    child.ask((recipes.load(None)["gray"], pictures.png()), 60)
    lines = (Path(f"/proc/{child._process.pid}") / "limits").read_text().splitlines()
    (cpu,) = [line[25:].split()[0] for line in lines if line.startswith("Max cpu time")]
    assert 60 <= int(cpu) <= 120


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
