"""Runs in an image: prints how long its programs take until they answer /healthz, or a module until it is imported."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from typing import IO

PATIENCE_SECONDS = 60


def answers(port: int) -> bool:
    """Does /healthz answer? Any answer counts: there is neither broker nor database here."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def seconds_until_it_answers(program: str) -> float:
    """Starts the program and ends it again."""
    port = free_port()
    settings = {"IMAGEMILL_PORT": str(free_port()), "IMAGEMILL_HEALTH_PORT": str(port), "IMAGEMILL_PREPARE": "false"}
    began = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = start(program, settings, log)
        while not answers(port):
            if process.poll() is not None or time.monotonic() - began > PATIENCE_SECONDS:
                log.seek(0)
                sys.exit(f"error: {program} does not start (exit code {process.poll()}): {log.read().decode()}")
            time.sleep(0.02)
        took = time.monotonic() - began
        process.kill()
        process.wait()
    return took


def start(program: str, settings: dict[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """The program, with its log in a file."""
    command = [sys.executable, "-m", program]
    return subprocess.Popen(command, env={**os.environ, **settings}, stdout=log, stderr=log)  # noqa: S603


def seconds_to_import(module: str) -> float:
    """For the operator, which cannot start without a cluster."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True, timeout=PATIENCE_SECONDS)  # noqa: S603
    return time.monotonic() - began


def main(names: list[str]) -> None:
    """Prints one line."""
    measured = [(name, seconds_to_import if "_operator" in name else seconds_until_it_answers) for name in names]
    print("   starts in " + ", ".join(f"{measure(name):.1f} s ({name.split('.')[-1]})" for name, measure in measured))


if __name__ == "__main__":
    main(sys.argv[1:])
