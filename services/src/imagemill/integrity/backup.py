"""All databases of an installation to another CouchDB, or back, by the replicator of our own."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from imagemill.store.couch import Couch, StoreUnavailable
from imagemill.store.replication import Progress, ReplicaAddress, Replicator, document_id, document_of, group_of

_POLL_SECONDS = 0.5
_MOST_ERRORS = 5
"""So often in a row a copy may fail before it is given up; CouchDB waits longer each time: about two minutes in all."""
_MOST_SILENCE = 20
"""So often in a row our own server may not answer."""
_NEVER_STARTED_SECONDS = 120.0

Told = Callable[[str, Progress], None]


class CopyFailed(Exception):
    """A database was not copied; the sentence says which one and why, without passwords."""


class NotEmpty(Exception):
    """There is something where a copy would go to."""


def in_order(names: Sequence[str]) -> list[str]:
    """The order in which a copy is whole at any moment: what refers to others is copied before these.

    The watermark (state) is older than the ledger that it speaks of; each job and outcome of the copied ledger finds
    its bytes in blobs that were copied later.
    """
    ranks = {"state": 0, "ledger": 1}
    return sorted(names, key=lambda name: (3 if name.startswith("blobs-") else ranks.get(name, 2), name))


def copy_all(
    replicator: Replicator, source: ReplicaAddress, target: ReplicaAddress, names: Sequence[str], told: Told
) -> int:
    """One database after the other until each is done; returns how many documents were written. Raises CopyFailed."""
    return sum(_copy(replicator, source, target, name, told) for name in in_order(names))


def keep_copying(replicator: Replicator, source: ReplicaAddress, target: ReplicaAddress, names: Sequence[str]) -> None:
    """Begin to copy whatever comes, where that is not done already; the server goes on after its own restarts too."""
    for name, progress in progress_of_all(replicator, source, target, names).items():
        if progress.is_over:
            replicator.start(document_of(source, target, name, continuous=True))


def stop_copying(replicator: Replicator, source: ReplicaAddress, target: ReplicaAddress) -> None:
    """End that, also for databases that are gone."""
    for doc_id in replicator.copies(group_of(source, target)):
        replicator.stop(doc_id)


def progress_of_all(
    replicator: Replicator, source: ReplicaAddress, target: ReplicaAddress, names: Sequence[str]
) -> dict[str, Progress]:
    """By database."""
    return {name: replicator.progress(document_id(source, target, name)) for name in in_order(names)}


def check_empty(couch: Couch) -> None:
    """Raises NotEmpty when there is a document in any of its databases, but for CouchDB's own."""
    filled = [name for name in couch.database_names("") if couch.database(name).has_documents()]
    if filled:
        raise NotEmpty(f"there are documents in {', '.join(f'{couch.prefix}-{name}' for name in filled)}")


def _copy(replicator: Replicator, source: ReplicaAddress, target: ReplicaAddress, name: str, told: Told) -> int:
    document = document_of(source, target, name, continuous=False)
    with _stopped_at_the_end(replicator, document["_id"]):
        replicator.start(document)
        began = time.monotonic()
        while True:
            progress = _patiently(lambda: replicator.progress(document["_id"]))
            told(name, progress)
            reason = verdict(progress, time.monotonic() - began)
            if reason:
                raise CopyFailed(f"{source.prefix}-{name} was not copied: {reason}")
            if progress.is_over:
                return progress.written
            time.sleep(_POLL_SECONDS)


def verdict(progress: Progress, waited_seconds: float) -> str:
    """Why a copy is given up; empty while it may go on, and when it is done."""
    if progress.is_over and not progress.is_done:
        return progress.error or f"the replicator says {progress.state}"
    if progress.errors >= _MOST_ERRORS:
        return f"{progress.errors} attempts failed, the last one with: {progress.error}"
    if progress.state == "initializing" and waited_seconds > _NEVER_STARTED_SECONDS:
        return f"the replicator did not begin within {_NEVER_STARTED_SECONDS:g} s"
    return ""


def _patiently(ask: Callable[[], Progress]) -> Progress:
    for _ in range(_MOST_SILENCE):
        try:
            return ask()
        except StoreUnavailable as error:
            silent = error
            time.sleep(_POLL_SECONDS)
    raise silent


@contextmanager
def _stopped_at_the_end(replicator: Replicator, doc_id: str) -> Iterator[None]:
    try:
        yield
    finally:
        replicator.stop(doc_id)
