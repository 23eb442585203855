"""Every alert gets the next number, without a gap, and an event has exactly one, whoever is killed or races.

The store can create a document that does not exist yet (and say so when it does), and read one. Two kinds of
documents: `alert:<n>`, the n-th alert with its event, and `numbered:<event>`, which tells an event's number.

Why it holds. `alert:<n+1>` is created only by who has seen `alert:<n>`, so there is no gap; creating is exclusive, so a
number has one event. Before `alert:<n+1>` is created, its creator makes sure that `numbered:<event of n>` exists; so
when `alert:<n>` exists, the events of all numbers below n have their `numbered:` document. A claimer reads the last
number n it can find, makes sure that `numbered:<event of n>` exists, and only then looks whether its own event has a
number: that look covers 1..n. When it then succeeds in creating `alert:<n+1>`, nobody else has that number, and its
event had none before. Whoever is killed in between leaves at most a missing `numbered:` document of the last number,
which the next claimer makes up for.

It needs a store in which creating is atomic and reads see what was created: one CouchDB node, or a cluster of which all
alerters use the same node.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

Document = Mapping[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Create:
    """Create a document; the answer is False when it exists already."""

    doc_id: str
    document: Document


@dataclass(frozen=True)
class Get:
    """Read a document; the answer is None when there is none."""

    doc_id: str


Step = Create | Get
# The steps are handed out one by one, so that a test can stop and interleave them anywhere.
Steps = Generator[Step, Any, Result]


class NumberStore(Protocol):
    """What numbering needs of a database."""

    def create(self, doc_id: str, document: Document) -> bool:
        """Create it; False when it exists already, and nothing was changed."""

    def get(self, doc_id: str) -> Document | None:
        """Read it."""


def number_for(store: NumberStore, event_id: str, document: Document, hint: int = 0) -> int:
    """The event's number; its first caller's `document` becomes the alert. `hint` is a number known to exist, or 0."""
    return carry_out(claim(event_id, document, hint), store)


def carry_out(steps: Steps[Result], store: NumberStore) -> Result:
    """Do the steps with a store."""
    answer: Any = None
    try:
        while True:
            step = steps.send(answer)
            is_create = isinstance(step, Create)
            answer = store.create(step.doc_id, step.document) if is_create else store.get(step.doc_id)  # type: ignore[union-attr]
    except StopIteration as done:
        result: Result = done.value
        return result


def claim(event_id: str, document: Document, hint: int = 0) -> Steps[int]:
    """The steps to an event's number, see above."""
    known = yield Get(numbered_id(event_id))
    if known:
        return int(known["number"])
    last = yield from last_number(hint)
    while True:
        if last > 0:
            yield from _finish(last)
        mine = yield Get(numbered_id(event_id))
        if mine:
            return int(mine["number"])
        if (yield Create(alert_id(last + 1), {**document, "number": last + 1, "event": event_id})):
            yield Create(numbered_id(event_id), {"number": last + 1})
            return last + 1
        last += 1


def last_number(hint: int = 0) -> Steps[int]:
    """The last number there is, found in steps that double: there is no gap, so it takes log n reads."""
    low = hint if hint > 0 and (yield Get(alert_id(hint))) else 0
    step = 1
    while (yield Get(alert_id(low + step))):
        low, step = low + step, step * 2
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if (yield Get(alert_id(middle))):
            low = middle
        else:
            high = middle
    return low


def _finish(number: int) -> Steps[None]:
    """Make sure that the event of this number knows it: whoever created the number may have been killed since."""
    alert = yield Get(alert_id(number))
    yield Create(numbered_id(alert["event"]), {"number": number})


def alert_id(number: int) -> str:
    """Ten digits, so that documents are in the order of their numbers."""
    return f"alert:{number:010d}"


def numbered_id(event_id: str) -> str:
    """The document that tells an event's number."""
    return f"numbered:{event_id}"
