"""``workerpool convert``: the command line for those who come from KEDA."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from imagemill_operator.convert import (
    Conversion,
    Hints,
    NoManifestError,
    UnreadableError,
    convert,
    note_line,
    read_documents,
    render,
    takeover_advice,
)

EPILOG = "Exit status: 0 all was converted, 1 something could not be, 2 the input could not be read."


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        documents = [document for name in options.files for document in _read(name)]
        conversion = convert(documents, Hints(options.max_wait_seconds, options.vhost))
    except (OSError, NoManifestError, UnreadableError) as problem:
        sys.stderr.write(f"workerpool: {problem}\n")
        return 2
    _write(conversion, sys.stdout, sys.stderr)
    return 0 if conversion.is_complete else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="workerpool", description="Tools for WorkerPools.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "convert",
        help="turn KEDA's manifests into WorkerPools",
        description="Reads ScaledObjects, ScaledJobs and TriggerAuthentications, prints WorkerPools in mode Advise, "
        "and says on standard error what changes or has no equivalent.",
        epilog=EPILOG,
    )
    command.add_argument("files", nargs="*", default=["-"], metavar="FILE", help="manifests; standard input without")
    command.add_argument(
        "--max-wait-seconds",
        type=_seconds,
        metavar="SECONDS",
        help="objective of all pools, in place of KEDA's values: no message waits longer",
    )
    command.add_argument("--vhost", metavar="NAME", help="virtual host of queues whose manifest names none")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} must be greater than 0")
    return seconds


def _read(name: str) -> list[dict[str, object]]:
    """Bytes, not text: YAML says itself how it is encoded."""
    text = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return [dict(document) for document in read_documents(text)]
    except UnreadableError as problem:
        raise UnreadableError(f"{'standard input' if name == '-' else name}: {problem}") from problem


def _write(conversion: Conversion, manifests: TextIO, words: TextIO) -> None:
    """Manifests apart from words, so that the first can be piped to kubectl."""
    manifests.write(render(conversion))
    for note in conversion.notes:
        words.write(f"{note_line(note)}\n")
    words.write(takeover_advice(conversion))


if __name__ == "__main__":
    sys.exit(main())
