"""What must be true at the end of a run, and at some moments of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from imagemill.domain.images import Job, Outcome
from imagemill.store.couch import Document
from simulation.couchdb import shown
from simulation.scenario import Client
from simulation.world import World

_LEDGER = "ledger"


def complaints(world: World) -> list[str]:
    """Sentences about what is wrong; none when the promise was kept."""
    return [*world.broken, *_unsettled(world), *_of_clients(world), *_of_outcomes(world), *_of_bytes(world)]


def _unsettled(world: World) -> Iterator[str]:
    for job_id in sorted(world.in_flight()):
        yield f"{job_id} never comes to its end"


def _documents(world: World, kind: str) -> dict[str, list[Document]]:
    """Of each document of a kind the versions, as all nodes together have them."""
    found: dict[str, dict[str, Document]] = {}
    for node in world.couch.nodes:
        for doc_id, versions in node.database(_LEDGER).items():
            if doc_id.startswith(kind):
                found.setdefault(doc_id.removeprefix(kind), {}).update(versions)
    return {
        doc_id: [leaf for leaf in versions.values() if not leaf.get("_deleted")] for doc_id, versions in found.items()
    }


def _of_clients(world: World) -> Iterator[str]:
    jobs = [Job.model_validate(versions[0]) for versions in _documents(world, "job:").values()]
    per_client = Counter(job.name for job in jobs)
    ids = {job.id for job in jobs}
    for client in world.clients:
        yield from _of_client(client, per_client[str(client.number)], ids)


def _of_client(client: Client, jobs: int, ids: set[str]) -> Iterator[str]:
    if client.told and client.told not in ids:
        yield f"{client.told} was accepted, and the ledger has no such job"
    if jobs > 1:
        yield f"client {client.number} sent one picture, and there are {jobs} jobs of it"
    if jobs and not client.told and not client.is_unsure:
        yield f"client {client.number} was told that nothing was taken, and there is a job"


def _of_outcomes(world: World) -> Iterator[str]:
    for job_id, versions in _documents(world, "outcome:").items():
        outcomes = [Outcome.model_validate(version) for version in versions]
        verdicts = {_verdict(outcome) for outcome in outcomes}
        if len(verdicts) != 1:
            yield f"{job_id} has the outcomes {sorted(verdicts)} in the end"
        for outcome in outcomes:
            if outcome.status != "stored":
                yield f"{job_id} failed: {outcome.code}: {outcome.reason}"
        wrong = {_verdict(outcome) for outcome in world.announced.get(job_id, ())} - verdicts
        if wrong:
            yield f"{job_id} was announced as {sorted(wrong)} and is {sorted(verdicts)}"


def _verdict(outcome: Outcome) -> str:
    return f"{outcome.status} {outcome.result.sha256[:8] if outcome.result else outcome.code}"


def _of_bytes(world: World) -> Iterator[str]:
    gone = {doc_id for doc_id, versions in _documents(world, "erasure:").items() if versions}
    wanted, let_go = set[str](), set[str]()
    for doc_id, versions in _documents(world, "job:").items():
        names = {Job.model_validate(version).original.sha256 for version in versions}
        (let_go if doc_id in gone else wanted).update(names)
    for doc_id, versions in _documents(world, "outcome:").items():
        names = {str(version["result"]["sha256"]) for version in versions if version.get("result")}
        (let_go if doc_id in gone else wanted).update(names)
    yield from _left(world, let_go - wanted)
    for name in sorted(wanted):
        if not world.couch.is_safe(f"blobs-{int(name[0], 16) % 4}", name):
            yield f"the bytes {name[:8]} are not on a majority of nodes"


def _left(world: World, names: set[str]) -> Iterator[str]:
    """Bytes that nobody needs any more; an upload that was given up may have stored them once more."""
    if world.has_faults or not all(client.told for client in world.clients):
        return
    for name in sorted(names):
        if any(shown(node.database(f"blobs-{int(name[0], 16) % 4}").get(name, {})) for node in world.couch.nodes):
            yield f"the bytes {name[:8]} are still there, and everybody who had them has erased them"
