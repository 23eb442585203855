"""The finder: an alert's number, an id, a batch, or what a name begins with. All by index, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from imagemill.api.services import Services
from imagemill.api.web.paging import PAGE
from imagemill.domain.ids import is_batch_name, is_uuid
from imagemill.domain.images import Counts, Image
from imagemill.store.alerts import AlertStore
from imagemill.store.ledger import NameCursor

_MOST_BATCHES = 10
_LEAST_OF_AN_ID = 4


@dataclass(frozen=True)
class Finding:
    """Where to go at once, or batches and pictures which may be meant, and the cursor of the pictures behind them."""

    address: str | None = None
    batches: Sequence[tuple[str, Counts]] = ()
    more_batches: bool = False
    images: Sequence[Image] = field(default_factory=list)
    next: str | None = None


def find(mill: Services, query: str, after: str | None = None) -> Finding:
    """What a person may mean by it; with `after` only the pictures behind that cursor."""
    if not query:
        return Finding()
    cursor = cursor_of(after)
    if cursor is None and (address := _exactly(mill, query)):
        return Finding(address=address)
    ids, following = mill.stores.ledger.named_ids(query, PAGE, cursor)
    if cursor is not None:
        return Finding(images=mill.stores.ledger.images(ids), next=text_of(following))
    batches = _batches(mill, query)
    found = list(dict.fromkeys([*_by_id(mill, query), *ids]))
    return Finding(
        batches=batches[:_MOST_BATCHES], more_batches=len(batches) > _MOST_BATCHES,
        images=mill.stores.ledger.images(found), next=text_of(following),
    )  # fmt: skip


def cursor_of(text: str | None) -> NameCursor | None:
    """The place that a cursor names; None when it names none.

    >>> cursor_of("img_1.jpg/01939d1c-0000-7000-8000-000000000000")
    ('img_1.jpg', '01939d1c-0000-7000-8000-000000000000')
    """
    name, separator, image = (text or "").rpartition("/")
    return (name, image) if separator and is_uuid(image) else None


def text_of(cursor: NameCursor | None) -> str | None:
    """A place as text."""
    return "/".join(cursor) if cursor else None


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


def _batches(mill: Services, query: str) -> Sequence[tuple[str, Counts]]:
    """Those whose names begin with it, one more than are shown."""
    return mill.stores.batches(_MOST_BATCHES + 1, prefix=query) if is_batch_name(query) else []


def _by_id(mill: Services, query: str) -> list[str]:
    """The beginning of an id says when it was made: the first few letters are those of half the ledger."""
    looks_like_one = len(query) >= _LEAST_OF_AN_ID and set(query.lower()) <= set("0123456789abcdef-")
    return mill.stores.ledger.ids_beginning(query.lower(), _MOST_BATCHES) if looks_like_one else []
