"""WorkerPools by kubectl, which knows how to log in to every cluster of its user's."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

RESOURCE = "workerpools.imagemill.dev"
CHUNK = 65_536
ANSWER_SECONDS = 30


class KubectlError(Exception):
    """kubectl is not there, or could not do it; the message is what it said."""


def get_pool(name: str, options: Sequence[str] = ()) -> dict[str, Any]:
    """Return one WorkerPool. ``options`` are kubectl's own, like ``--namespace``."""
    try:
        found = subprocess.run(  # noqa: S603 a list of words, no shell
            _command(options, name, f"--request-timeout={ANSWER_SECONDS}s"), capture_output=True, text=True, check=False
        )
    except OSError as problem:
        raise KubectlError(f"kubectl cannot be run: {problem}") from problem
    if found.returncode:
        raise KubectlError(found.stderr.strip())
    return dict(json.loads(found.stdout))


def watch_pools(options: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield all WorkerPools, and each one again when it changes, until the reader has enough."""
    try:
        process = subprocess.Popen(  # noqa: S603 a list of words, no shell
            _command(options, "--watch"), stdout=subprocess.PIPE, text=True
        )
    except OSError as problem:
        raise KubectlError(f"kubectl cannot be run: {problem}") from problem
    with process:
        try:
            yield from _objects(process)
        finally:
            process.terminate()
    if process.returncode and process.returncode > 0:
        raise KubectlError(f"kubectl ended with status {process.returncode}")


def _command(options: Sequence[str], *words: str) -> list[str]:
    return ["kubectl", "get", RESOURCE, *words, "--output", "json", *options]


def _objects(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """Objects one after the other, as kubectl writes them: each may come in several parts."""
    decoder, text = json.JSONDecoder(), ""
    while process.stdout is not None and (line := process.stdout.readline(CHUNK)):
        text += line
        while text := text.lstrip():
            try:
                found, end = decoder.raw_decode(text)
            except json.JSONDecodeError:
                break
            text = text[end:]
            yield found
