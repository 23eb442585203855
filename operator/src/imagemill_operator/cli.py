"""``workerpool``, also ``kubectl workerpools``: what was decided and why, and the way from KEDA."""

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
from imagemill_operator.kubectl import KubectlError, get_pool, watch_pools
from imagemill_operator.why import line_text, why_text

PLUGIN = "kubectl-workerpools"
EPILOG = "Exit status: 0 all was converted, 1 something could not be, 2 the input could not be read."


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except KubectlError as problem:
        sys.stderr.write(f"workerpool: {problem}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _why(options: argparse.Namespace) -> int:
    sys.stdout.write(why_text(get_pool(options.name, _of_kubectl(options))))
    return 0


def _watch(options: argparse.Namespace) -> int:
    """One line for each pool, and another when what is said of it changes."""
    said: dict[str, str] = {}
    for pool in watch_pools(_of_kubectl(options)):
        name, line = pool["metadata"]["name"], line_text(pool)
        reason = (pool.get("status") or {}).get("reason", "")
        if options.name in (None, name) and said.get(name) != reason:
            print(line, flush=True)
        said[name] = reason
    return 0


def _of_kubectl(options: argparse.Namespace) -> list[str]:
    given = {name: getattr(options, name) for name in ("namespace", "context", "kubeconfig")}
    return [f"--{name}={value}" for name, value in given.items() if value is not None]


def _convert(options: argparse.Namespace) -> int:
    try:
        documents = [document for name in options.files for document in _read(name)]
        conversion = convert(documents, Hints(options.max_wait_seconds, options.vhost))
    except (OSError, NoManifestError, UnreadableError) as problem:
        sys.stderr.write(f"workerpool: {problem}\n")
        return 2
    _write(conversion, sys.stdout, sys.stderr)
    return 0 if conversion.is_complete else 1


def _parser() -> argparse.ArgumentParser:
    is_plugin = Path(sys.argv[0]).name.startswith(PLUGIN)
    program = "kubectl workerpools" if is_plugin else "workerpool"
    parser = argparse.ArgumentParser(prog=program, description="Tools for WorkerPools.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_questions(commands)
    _add_convert(commands)
    return parser


def _add_questions(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    why = commands.add_parser("why", help="say why a pool has the replicas that it has")
    why.add_argument("name", metavar="POOL")
    why.set_defaults(run=_why)
    watch = commands.add_parser("watch", help="say what is decided as it is decided; Ctrl-C ends it")
    watch.add_argument("name", nargs="?", metavar="POOL", help="this pool alone")
    watch.set_defaults(run=_watch)
    for command in (why, watch):
        command.add_argument("-n", "--namespace", help="as kubectl's")
        command.add_argument("--context", help="as kubectl's")
        command.add_argument("--kubeconfig", help="as kubectl's")


def _add_convert(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    command.set_defaults(run=_convert)


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
