"""`make chaos ARGS="--minutes 5 --seed 1"`: says what happened; ends with 1 if anything was lost, doubled or wrong."""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chaos import clocks
from chaos.clients import Clients, Sent
from chaos.history import History
from chaos.watchers import Watchers
from chaos.world import PROGRAMS, QUEUES, World
from imagemill import recipes
from imagemill.integrity.walk import Walk, Wanted
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.couch import Couch
from mill import Mill

_BALANCED_WITHIN_SECONDS = 60


def main() -> int:
    """One run."""
    parser = argparse.ArgumentParser(description="Break everything for a while, then count.")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        world = World(Path(folder))
        try:
            world.start()
            return _run(world, given.minutes * 60, given.seed)
        finally:
            world.close()


def _run(world: World, seconds: float, seed: int) -> int:
    history = History()
    clients = Clients(world.mill, history, seed)
    watchers = Watchers(world.mill.url, history, clients.sent, seed)
    clients.start()
    watchers.start()
    faults = _break(world, random.Random(seed), time.monotonic() + seconds)
    world.set_clocks_right()
    last_fault = time.monotonic()
    clients.stop()
    balanced = _balanced(world, _BALANCED_WITHIN_SECONDS + 120)
    took = time.monotonic() - last_fault
    watchers.stop()
    return _tell(world, clients, history, faults, took if balanced else None)


@dataclass(frozen=True)
class _Fault:
    """What goes wrong, counted by `kind`; `act` takes as long as it lasts."""

    weight: int
    kind: str
    details: str
    act: Callable[[], None]


def _break(world: World, chance: random.Random, until: float) -> Counter[str]:
    """Fault after fault, at times two at once. Their order is the seed's, their moments are the machine's."""
    done: Counter[str] = Counter()
    half_time = (time.monotonic() + until) / 2
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.5, 4))
        fault = _drawn(world, chance)
        if not done["lose all messages"] and time.monotonic() > half_time:
            fault = _Fault(1, "lose all messages", "", world.lose_all_messages)
        print(f"{time.strftime('%H:%M:%S')}  {fault.kind} {fault.details}", flush=True)
        done[fault.kind] += 1
        if chance.random() < 0.25 and fault.kind.startswith(("kill", "pause", "freeze", "cut")):
            other = chance.choice(PROGRAMS)
            threading.Thread(target=world.kill, args=(other,)).start()
            done[f"kill {_role(other)} meanwhile"] += 1
        try:
            fault.act()
        except Exception as error:  # the server was just away for another reason
            print(f"          not done: {error!r}", flush=True)
            done["not done"] += 1
    return done


def _drawn(world: World, chance: random.Random) -> _Fault:
    name, seconds, queue = chance.choice(PROGRAMS), chance.uniform(0.5, 6), chance.choice(QUEUES)
    server, ahead, role = chance.choice(("broker", "database")), clocks.drawn(chance), _role(name)
    faults = [
        _Fault(3, f"kill {role}", name, lambda: world.kill(name)),
        _Fault(2, f"end {role}", name, lambda: world.end(name)),
        _Fault(2, f"pause {role}", name, lambda: world.pause(name, seconds)),
        _Fault(2, f"cut {role} from {server}", name, lambda: world.cut(name, server, 2 * seconds)),
        _Fault(1, f"cut {role} from both", name, lambda: world.cut_off(name, 2 * seconds)),
        _Fault(2, f"clock of {role}", f"{name} {ahead:+} s", lambda: world.set_clock(name, ahead)),
        _Fault(1, "kill broker", "", lambda: world.kill_broker(seconds)),
        _Fault(1, "memory alarm", "", lambda: world.alarm(seconds)),
        _Fault(1, "disk alarm", "", lambda: world.fill_disk(seconds)),
        _Fault(1, "delete a queue", queue, lambda: world.delete_queue(queue)),
        _Fault(1, "close connections", "", world.close_connections),
    ]
    if couch := world.own_couch:
        faults += [
            _Fault(1, "kill database", "", lambda: world.kill_database(couch, seconds)),
            _Fault(1, "freeze database", "", lambda: world.freeze_database(couch, seconds)),
        ]
    return chance.choices(faults, [fault.weight for fault in faults])[0]


def _role(name: str) -> str:
    return name.split(":")[0]


def _balanced(world: World, patience_seconds: float) -> bool:
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        try:
            if world.mill.totals().get("in_flight") == 0:
                return True
        except Exception:  # the API may just be starting
            pass
        time.sleep(0.5)
    return False


def _tell(
    world: World, clients: Clients, history: History, faults: Counter[str], balanced_seconds: float | None
) -> int:
    counts, ids = world.mill.totals(), {sent.id for sent in clients.sent}
    wrong = Counter(dict.fromkeys(("lost", "wrong failures", "results that differ"), 0))
    for sent in clients.sent:
        kind = _wrong_with(world.mill, sent)
        if kind:
            wrong[kind] += 1
            print(f"{kind}: {world.mill.image(sent.id)}")
    couch = Couch(world.couchdb_url, world.mill.prefix)
    report = Walk(couch, CouchBlobs(couch), Wanted(sample=None), lambda _: None, lambda *_: None).run()
    wrong["double"] = counts["accepted"] - len(ids)
    violations = history.violations()
    wrong["answers that contradict"] = len(violations)
    compared = {kind: len(history.told(kind)) for kind in ("taken", "outcome", "totals", "bytes")}
    rows = {
        "faults": sum(faults.values()),
        "pictures taken": len(clients.sent),
        "bytes sent": sum(len(sent.data) for sent in clients.sent),
        "largest": max((len(sent.data) for sent in clients.sent), default=0),
        "taken at a repeat": sum(sent.attempts > 1 for sent in clients.sent),
        **{name: counts[name] for name in ("accepted", "stored", "failed")},
        **wrong,
        **{f"answers compared: {kind}": count for kind, count in compared.items()},
        "seconds until balanced": "never" if balanced_seconds is None else f"{balanced_seconds:.1f}",
        "verify": "sound" if report.sound else report.as_dict()["wrong"],
    }
    for what, count in sorted(faults.items()):
        print(f"  {count:4} × {what}")
    print(f"answers: {dict(sorted(clients.answers.items()))}", *clients.wrong, *violations[:50], sep="\n")
    for name, value in rows.items():
        print(f"{name:24} {value:,}" if isinstance(value, int) else f"{name:24} {value}")
    late = balanced_seconds is None or balanced_seconds > _BALANCED_WITHIN_SECONDS
    # Where nobody looked on nothing was compared.
    sound = report.sound and all(compared.values()) and not (clients.wrong or any(wrong.values()) or late)
    print("Everything that was accepted is stored, once." if sound else "Not everything is as it was promised.")
    return 0 if sound else 1


def _wrong_with(mill: Mill, sent: Sent) -> str | None:
    image = mill.image(sent.id)
    if image.get("status") != "stored":
        return "wrong failures" if image.get("status") == "failed" else "lost"
    result = mill.get(f"/api/v1/images/{sent.id}/result").content
    return None if result == recipes.load(None)["gray"].apply(sent.data).data else "results that differ"


if __name__ == "__main__":
    sys.exit(main())
