"""The finder: an alert's number, an id, a batch, or part of a file's name."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from imagemill.alertbook import AlertBook
from imagemill.api.services import Services
from imagemill.ids import is_batch_name, is_uuid
from imagemill.models import Image

SEARCHED = 1000
_SHOWN = 50


@dataclass(frozen=True)
class Finding:
    """Where to go at once, or pictures which may be meant; `searched` tells among how many of the newest."""

    address: str | None = None
    images: Sequence[Image] = field(default_factory=list)
    searched: int = 0


def find(mill: Services, query: str) -> Finding:
    """What a person may mean by it."""
    if not query:
        return Finding()
    address = _exactly(mill, query)
    return Finding(address=address) if address else _by_name(mill, query)


def _exactly(mill: Services, query: str) -> str | None:
    ledger = mill.stores.ledger
    number = alert_number(query)
    if number and AlertBook(mill.stores.couch).alert(number):
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


def _by_name(mill: Services, query: str) -> Finding:
    ledger = mill.stores.ledger
    images = ledger.images(ledger.newest_ids(SEARCHED))
    found = [image for image in images if _matches(image, query.lower())]
    return Finding(images=found[:_SHOWN], searched=len(images))


def _matches(image: Image, query: str) -> bool:
    job = image.job
    return query in job.name.lower() or job.id.startswith(query) or job.original.sha256.startswith(query)
