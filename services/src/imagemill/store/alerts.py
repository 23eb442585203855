"""The numbered alerts and what is written beside them; every document but a pin is written once.

What was acknowledged can be taken back: then its document goes.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.alerting.judge import PastAlert
from imagemill.alerting.numbering import alert_id, carry_out, last_number, number_for, numbered_id
from imagemill.alerting.records import acknowledged_id, acknowledgement, begun_id, past_alert, sent_id
from imagemill.domain.alerts import (
    Acknowledgement,
    Alert,
    AlertAttempt,
    AlertPin,
    BegunAttempt,
    ChannelSummary,
    ChannelTest,
    SentAttempt,
)
from imagemill.store.alert_index import completed, facts_of
from imagemill.store.couch import Conflict, Couch, Document, successes
from imagemill.store.rules import DATABASE

MOST_ATTEMPTS = 1000
MOST_PINS = 100_000
# Of an acknowledgement: each node of a cluster may have one of its own.
_MOST_VERSIONS = 4
_LAST = "\ufff0"
_CHANNELS = "channels"


@dataclass(frozen=True)
class AlertPage:
    """Alerts, newest first, and the number behind which the next page begins (None: there is no more)."""

    alerts: list[Alert]
    next: int | None


class AlertStore:
    """Safe to use from many threads. It is also the store of alerts.numbering: create, and get."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database(DATABASE)

    def create(self, doc_id: str, document: Mapping[str, Any]) -> bool:
        """Creates a document; False when it exists already."""
        try:
            self._database.put({**document, "_id": doc_id})
        except Conflict:
            return False
        return True

    def get(self, doc_id: str) -> Document | None:
        """Reads a document."""
        return self._database.get(doc_id)

    # --- alerts ---------------------------------------------------------------------------------------

    def add(self, alert: Alert, hint: int = 0) -> int:
        """Give the alert's event its number, the one it has or the next; `hint` is a number known to exist, or 0."""
        return number_for(self, alert.event, alert.as_document(), hint)

    def alert(self, number: int) -> Alert | None:
        """The alert of a number."""
        document = self._database.get(alert_id(number)) if 0 < number < 10**10 else None
        return Alert.model_validate(document) if document else None

    def of_numbers(self, numbers: Sequence[int]) -> dict[int, Alert]:
        """Those of the alerts that there are, by number and in the order of `numbers`."""
        found = self._database.get_many([alert_id(number) for number in numbers])
        documents = (found.get(alert_id(number)) for number in numbers)
        return {alert.number: alert for alert in map(Alert.model_validate, filter(None, documents))}

    def last(self, hint: int = 0) -> int:
        """The highest number; 0 before the first alert."""
        return carry_out(last_number(hint), self)

    def newest(self, limit: int, below: int | None = None) -> AlertPage:
        """Alerts, newest first."""
        start = alert_id(below - 1) if below else f"alert:{_LAST}"
        documents = self._database.documents(start, "alert:", limit + 1, descending=True)
        more = documents[limit - 1]["number"] if len(documents) > limit else None
        return AlertPage([Alert.model_validate(document) for document in documents[:limit]], more)

    def between(self, first: int, limit: int) -> list[Alert]:
        """Alerts from a number on, oldest first."""
        documents = self._database.documents(alert_id(first), f"alert:{_LAST}", limit)
        return [Alert.model_validate(document) for document in documents]

    def numbers_of(self, event_ids: Iterable[str]) -> dict[str, int]:
        """The numbers of those events which have one."""
        found = self._database.get_many([numbered_id(event) for event in event_ids])
        return {doc_id.removeprefix("numbered:"): int(document["number"]) for doc_id, document in found.items()}

    # --- what was sent --------------------------------------------------------------------------------

    def begin(self, begun: BegunAttempt, attempt: int) -> bool:
        """Begin an attempt; False when another alerter has done it."""
        return self.create(begun_id(begun.number, begun.channel, attempt), begun.as_document())

    def record(self, sent: SentAttempt, attempt: int) -> bool:
        """Record what came of an attempt; False when that is known already."""
        return self.create(sent_id(sent.number, sent.channel, attempt), sent.as_document())

    def attempts(self, number: int) -> list[AlertAttempt]:
        """What was begun and what came of it, by channel and attempt."""
        start = f"sent:{number:010d}:"
        return attempts_of(self._database.documents(start, start + _LAST, MOST_ATTEMPTS))

    # --- acknowledged, pinned -------------------------------------------------------------------------

    def acknowledge(self, alerts: Sequence[Alert], by: str, at: float, note: str = "") -> list[int]:
        """Somebody has seen them; tells which nobody had acknowledged before. Of each the first one counts."""
        made = [acknowledgement(alert.number, by, at, note, facts_of(alert)) for alert in alerts]
        documents = [{**one.as_document(), "_id": acknowledged_id(one.number)} for one in made]
        errors = self._database.bulk(documents)
        successes(documents, errors)
        return [one.number for one, error in zip(made, errors, strict=True) if error is None]

    def take_back(self, numbers: Sequence[int]) -> dict[int, Acknowledgement]:
        """Nobody has seen them (any more); tells what is gone, by number."""
        ended: dict[int, Acknowledgement] = {}
        for _ in range(_MOST_VERSIONS):
            gone = self._removed([acknowledged_id(number) for number in numbers])
            if not gone:
                break
            ended = {one.number: one for one in map(Acknowledgement.model_validate, gone)} | ended
        return ended

    def _removed(self, doc_ids: Sequence[str]) -> list[Document]:
        """Remove what is there and tell it. Of two who wrote at once a cluster keeps both, one behind the other."""
        found = self._database.get_many(doc_ids)
        gone = [{"_id": doc_id, "_rev": document["_rev"], "_deleted": True} for doc_id, document in found.items()]
        errors = self._database.bulk(gone)
        successes(gone, errors)
        return [found[str(doc["_id"])] for doc, error in zip(gone, errors, strict=True) if error is None]

    def complete(self, numbers: Sequence[int]) -> None:
        """Let acknowledgements of a former version say of their alerts what the index asks for."""
        alerts = self.of_numbers(numbers)
        found = self._database.get_many([acknowledged_id(number) for number in alerts])
        documents = [completed(document, alerts[int(document["number"])]) for document in found.values()]
        successes(documents, self._database.bulk(documents))

    def acknowledged(self, numbers: Sequence[int]) -> dict[int, Acknowledgement]:
        """Who has acknowledged which."""
        found = self._database.get_many([acknowledged_id(number) for number in numbers])
        seen = map(Acknowledgement.model_validate, found.values())
        return {one.number: one for one in seen}

    def first_acknowledged(self, number: int) -> Acknowledgement | None:
        """Who has acknowledged one, as a majority of a cluster's nodes knows it: lists are of one node alone."""
        found = self._database.get(acknowledged_id(number))
        return Acknowledgement.model_validate(found) if found else None

    def pin(self, number: int, event_id: str, by: str, at: float) -> None:
        """Its pictures shall stay when their month goes."""
        self.create(_pin_id(number), AlertPin(number=number, event=event_id, by=by, at=at).as_document())

    def unpin(self, number: int) -> None:
        """It goes with its month again."""
        known = self._database.get(_pin_id(number))
        if known:
            self._database.remove(known["_id"], known["_rev"])

    def pins(self, numbers: Sequence[int] | None = None) -> dict[int, AlertPin]:
        """Pins of these alerts, or all."""
        if numbers is not None:
            found = list(self._database.get_many([_pin_id(number) for number in numbers]).values())
        else:
            found = self._database.documents("pin:", f"pin:{_LAST}", MOST_PINS)
        return {pin.number: pin for pin in map(AlertPin.model_validate, found)}

    # --- what judging asks for ------------------------------------------------------------------------

    def past(self, alerts: Sequence[Alert]) -> list[PastAlert]:
        """Alerts as judging knows them."""
        seen = self.acknowledged([alert.number for alert in alerts])
        return [past_alert(alert, alert.number in seen) for alert in alerts]

    def past_unasked(self, alerts: Sequence[Alert]) -> list[PastAlert]:
        """The same for rules that do not ask whether they were acknowledged."""
        return [past_alert(alert, False) for alert in alerts]

    # --- channels and their tests ---------------------------------------------------------------------

    def channels(self) -> list[ChannelSummary]:
        """List the channels that the alerter has read."""
        document = self._database.get(_CHANNELS) or {}
        return [ChannelSummary(**channel) for channel in document.get("channels", [])]

    def publish_channels(self, channels: Sequence[ChannelSummary]) -> None:
        """Write down which channels there are; another alerter that has read the same may have done it."""
        known = self._database.get(_CHANNELS) or {"_id": _CHANNELS, "type": "channels"}
        fresh = [channel.model_dump() for channel in channels]
        if known.get("channels") != fresh:
            with contextlib.suppress(Conflict):
                self._database.put({**known, "channels": fresh})

    def record_channel_test(self, identifier: str, test: ChannelTest) -> None:
        """Write down what came of a test; one that is there already stays."""
        self.create(_test_id(identifier), test.model_dump())

    def channel_test(self, identifier: str) -> ChannelTest | None:
        """Read what came of a test; None while nobody has answered."""
        document = self._database.get(_test_id(identifier))
        return ChannelTest(**document) if document else None


def attempts_of(documents: Iterable[Document]) -> list[AlertAttempt]:
    """Put together what was begun and what came of it: documents of the same attempt differ in the end of the id."""
    found: dict[str, AlertAttempt] = {}
    for document in documents:
        place = str(document["_id"]).removesuffix(":begun")
        known = found.get(place) or AlertAttempt(channel=document["channel"], attempt=int(place.rpartition(":")[2]))
        is_sent = document["type"] == "sent"
        found[place] = AlertAttempt(
            channel=known.channel,
            attempt=known.attempt,
            begun=known.begun if is_sent else BegunAttempt.model_validate(document),
            sent=SentAttempt.model_validate(document) if is_sent else known.sent,
        )
    return list(found.values())


def _test_id(identifier: str) -> str:
    return f"test:{identifier}"


def _pin_id(number: int) -> str:
    return f"pin:{number:010d}"
