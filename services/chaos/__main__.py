"""`make chaos ARGS="--minutes 5 --seed 1"`: says what happened; ends with 1 if anything was lost, doubled or wrong."""

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from chaos.clients import Clients
from chaos.cluster_site import ClusterSite
from chaos.erasers import Erasers
from chaos.faults import Site, break_everything
from chaos.history import History
from chaos.local_site import LocalSite
from chaos.report import BALANCED_WITHIN_SECONDS, compare
from chaos.watchers import Watchers

# Between two faults; Kubernetes takes longer to bring back what died.
_LOCAL_PAUSES, _CLUSTER_PAUSES = (0.5, 4.0), (3.0, 15.0)
_ERASED_WITHIN_SECONDS = 900


def main() -> int:
    """One run."""
    parser = argparse.ArgumentParser(prog="chaos", description="Break everything for a while, then count.")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--nodes-command", default="",
        help="program that is called with stop, start, isolate or join and a number, for the nodes in COUCHDB_URL",
    )  # fmt: skip
    parser.add_argument(
        "--cluster", metavar="NAMESPACE", help="the release `mill` in this namespace of kubectl's cluster"
    )
    given = parser.parse_args()
    with ExitStack() as closing:
        if given.cluster:
            site: Site = ClusterSite(given.cluster, os.environ.get("E2E_CONTEXT", ""))
        else:
            folder = closing.enter_context(tempfile.TemporaryDirectory(prefix="chaos-"))
            site = LocalSite(Path(folder), given.nodes_command)
        closing.callback(site.close)
        site.start()
        return _run(site, given.minutes * 60, given.seed, _CLUSTER_PAUSES if given.cluster else _LOCAL_PAUSES)


def _run(site: Site, seconds: float, seed: int, pauses: tuple[float, float]) -> int:
    history = History()
    clients = Clients(site.api, history, seed)
    watchers = Watchers(site.api, history, clients.sent, seed)
    erasers = Erasers(site.api, clients.sent, seed)
    for some in (clients, watchers, erasers):
        some.start()
    faults = break_everything(site, random.Random(seed), time.monotonic() + seconds, pauses)
    site.mend()
    last_fault = time.monotonic()
    clients.stop()
    erasers.stop()
    balanced = _is_balanced(site, BALANCED_WITHIN_SECONDS + 120)
    took = time.monotonic() - last_fault
    watchers.stop()
    gone = erasers.all_gone(_ERASED_WITHIN_SECONDS)
    findings = compare(site, clients, erasers, history, took if balanced else None, gone)
    for what, count in sorted(faults.items()):
        print(f"  {count:4} × {what}")
    print(f"answers: {dict(sorted(clients.answers.items()))}; faults: {sum(faults.values())}")
    findings.print()
    return 0 if findings.is_sound else 1


def _is_balanced(site: Site, patience_seconds: float) -> bool:
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        try:
            if site.api.totals().get("in_flight") == 0:
                return True
        except Exception:  # the API may just be starting
            pass
        time.sleep(0.5)
    return False


if __name__ == "__main__":
    sys.exit(main())
