"""The finder: an alert's number, an id, a batch, or part of a file's name."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from imagemill.api.services import Services
from imagemill.domain.ids import is_batch_name, is_uuid
from imagemill.domain.images import Image, Job
from imagemill.store.alerts import AlertStore

SEARCHED = 2000
_SHOWN = 50


@dataclass(frozen=True)
class Finding:
    """Where to go at once, or pictures which may be meant; `searched` tells among how many.

    Older ones are searched from `next` on; None when there are none.
    """

    address: str | None = None
    images: Sequence[Image] = field(default_factory=list)
    searched: int = 0
    next: str | None = None


def find(mill: Services, query: str, after: str | None = None) -> Finding:
    """What a person may mean by it; with `after` only among pictures older than that one."""
    if not query:
        return Finding()
    if after and is_uuid(after):
        return _by_name(mill, query, after)
    address = _exactly(mill, query)
    return Finding(address=address) if address else _by_name(mill, query, None)


def _exactly(mill: Services, query: str) -> str | None:
    ledger = mill.stores.ledger
    number = alert_number(query)
    if number and AlertStore(mill.stores.couch).alert(number):
        return f"/alerts/{number}"
    if is_uuid(query.lower()) and ledger.image(query.lower()):
        return f"/pictures/{query.lower()}"
    if is_batch_name(query) and ledger.counts(query).offered:
        return f"/batches/{query}"
    return None


def alert_number(query: str) -> int | None:
    """`17` and `#17`."""
    digits = query.removeprefix("#").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None


def _by_name(mill: Services, query: str, after: str | None) -> Finding:
    """Names are in no index: so many jobs are read for one search, and the next one goes on where it ended."""
    ledger = mill.stores.ledger
    ids = ledger.newest_ids(SEARCHED, after)
    jobs = ledger.jobs(ids)
    found = [job_id for job_id in ids if job_id in jobs and _matches(jobs[job_id], query.lower())]
    shown, searched, more = found[:_SHOWN], len(ids), len(ids) == SEARCHED
    if len(found) > _SHOWN:
        searched, more = ids.index(shown[-1]) + 1, True
    return Finding(None, ledger.images(shown), searched, ids[searched - 1] if more else None)


def _matches(job: Job, query: str) -> bool:
    return query in job.name.lower() or job.id.startswith(query) or job.original.sha256.startswith(query)
