"""`make chaos ARGS="--minutes 5 --seed 1"`: says what happened; ends with 1 if anything was lost, doubled or wrong."""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from chaos.clients import Clients
from chaos.world import PROGRAMS, QUEUES, World
from imagemill import recipes
from imagemill.integrity.walk import Walk, Wanted
from imagemill.store.couch import Couch

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
            return _run(world, given.minutes * 60, given.seed)
        finally:
            world.close()


def _run(world: World, seconds: float, seed: int) -> int:
    clients = Clients(world.mill, seed)
    clients.start()
    faults = _break(world, random.Random(seed), time.monotonic() + seconds)
    last_fault = time.monotonic()
    clients.stop()
    balanced = _balanced(world, _BALANCED_WITHIN_SECONDS + 120)
    took = time.monotonic() - last_fault
    return _tell(world, clients, faults, took if balanced else None)


def _break(world: World, chance: random.Random, until: float) -> Counter[str]:
    """Fault after fault, at times two at once; what a seed says is always the same."""
    done: Counter[str] = Counter()
    wiped, half_time = False, (time.monotonic() + until) / 2
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.5, 4))
        name, length = chance.choice(PROGRAMS), chance.uniform(0.5, 6)
        choices: dict[str, Callable[[], None]] = {
            f"kill {name}": lambda name=name: world.kill(name),
            f"end {name}": lambda name=name: world.end(name),
            f"pause {name}": lambda name=name, length=length: world.pause(name, length),
            "kill broker": lambda length=length: world.kill_broker(length),
            "kill database": lambda length=length: world.kill_database(length),
            "freeze database": lambda length=length: world.freeze_database(length),
            "memory alarm": lambda length=length: world.alarm(length),
            "delete a queue": lambda: world.delete_queue(chance.choice(QUEUES)),
            "close connections": world.close_connections,
        }
        weights = [3, 2, 2, 1, 1, 1, 1, 1, 1]
        what = chance.choices(list(choices), weights)[0]
        if not wiped and time.monotonic() > half_time:
            wiped, what = True, "lose all messages"
            choices[what] = world.lose_all_messages
        print(f"{time.strftime('%H:%M:%S')}  {what}", flush=True)
        done[what.split()[0] + " " + what.split(maxsplit=1)[1].split(":")[0]] += 1
        if chance.random() < 0.25 and what.startswith(("kill", "pause", "freeze")):
            other = chance.choice(PROGRAMS)
            threading.Thread(target=world.kill, args=(other,)).start()
            done[f"kill {other.split(':')[0]} meanwhile"] += 1
        try:
            choices[what]()
        except Exception as error:  # the server was just away for another reason
            print(f"          not done: {error!r}", flush=True)
            done["not done"] += 1
    return done


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


def _tell(world: World, clients: Clients, faults: Counter[str], balanced_seconds: float | None) -> int:
    counts = world.mill.totals()
    ids = [sent.id for sent in clients.sent]
    bare = recipes.load(None)["gray"]
    lost, failed, differ = [], [], []
    for sent in clients.sent:
        image = world.mill.image(sent.id)
        if image.get("status") != "stored":
            (failed if image.get("status") == "failed" else lost).append(
                (sent.id, image.get("code"), image.get("reason"))
            )
        elif world.mill.get(f"/api/v1/images/{sent.id}/result").content != bare.apply(sent.data).data:
            differ.append(sent.id)
    report = Walk(Couch(world.couch.url, "chaos"), Wanted(sample=None), lambda _: None, lambda *_: None).run()
    rows = {
        "faults": sum(faults.values()),
        "pictures taken": len(ids),
        "bytes sent": sum(len(sent.data) for sent in clients.sent),
        "largest": max((len(sent.data) for sent in clients.sent), default=0),
        "taken at a repeat": sum(sent.attempts > 1 for sent in clients.sent),
        "accepted": counts["accepted"],
        "stored": counts["stored"],
        "failed": counts["failed"],
        "lost": len(lost),
        "double": counts["accepted"] - len(set(ids)) + (len(ids) - len(set(ids))),
        "wrong failures": len(failed),
        "results that differ": len(differ),
        "seconds until balanced": round(balanced_seconds, 1) if balanced_seconds is not None else "never",
        "verify": "sound" if report.sound else report.as_dict()["wrong"],
    }
    for what, count in sorted(faults.items()):
        print(f"  {count:4} × {what}")
    print(f"answers: {dict(sorted(clients.answers.items()))}")
    for name, value in rows.items():
        print(f"{name:24} {value:,}" if isinstance(value, int) else f"{name:24} {value}")
    for wrong in (*clients.wrong, *lost, *failed, *differ):
        print(f"wrong: {wrong}")
    late = balanced_seconds is None or balanced_seconds > _BALANCED_WITHIN_SECONDS
    sound = report.sound and not (clients.wrong or lost or failed or differ or rows["double"] or late)
    print("Everything that was accepted is stored, once." if sound else "Not everything is as it was promised.")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
