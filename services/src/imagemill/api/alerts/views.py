"""Alerts, events and what was suppressed, as the API and the page tell them.

What they have in common with what is kept is in `domain`; the API's description is made of these models.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from imagemill.alerting.message import describe
from imagemill.api.web.view_types import Time
from imagemill.domain.alerts import (
    Acknowledgement,
    Alert,
    AlertAttempt,
    AlertFacts,
    AlertPin,
    Suppression,
    SuppressionFacts,
)
from imagemill.domain.events import Event, EventFacts, facts_of
from imagemill.domain.ids import timestamp
from imagemill.store.events import StoredEvent
from imagemill.store.snoozes import Named

# In the order in which a person looks at them; the strip follows.
LARGE = ("best.jpg", "annotated.jpg", "before.jpg")
_Number = Annotated[int, Field(ge=0)]


class _View(BaseModel):
    """An answer: all members are there."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class PictureLink(_View):
    """A picture."""

    name: str
    url: str


class CameraEvent(EventFacts):
    """An event of a camera."""

    started_at: Time
    ended_at: Time | None
    description: str
    pictures: tuple[PictureLink, ...]
    alert: int | None = Field(description="The number of the alert that it became.")


class Acknowledged(_View):
    """Who has seen it."""

    by: str
    at: Time
    note: str


class NotificationAttempt(_View):
    """An attempt to tell a channel."""

    channel: str
    attempt: _Number
    at: Time
    result: Literal["sent", "failed", "given_up", "unknown"]
    status: int | None = Field(description="The HTTP status of the answer.")
    answer: str
    attached: str = Field(
        description="Which picture went with it, or why none did; empty for a channel that takes none."
    )
    reason: str
    next_at: Time | None


class AlertView(AlertFacts):
    """A numbered alert."""

    at: Time
    started_at: Time
    acknowledged: Acknowledged | None
    pinned: bool
    url: str = Field(description="Its page.")


class WholeAlert(AlertView):
    """An alert with everything that is known of it."""

    details: CameraEvent
    kept: bool = Field(description="Is the event, with its pictures, still there?")
    sent: tuple[NotificationAttempt, ...]

    @property
    def picture_names(self) -> list[str]:
        """Names of its pictures."""
        return [picture.name for picture in self.details.pictures]


class SuppressedEvent(SuppressionFacts):
    """Why an event did not become an alert."""

    started_at: Time
    at: Time
    alert: int | None = Field(description="The alert that it became later.")


class SnoozeView(_View):
    """Nobody is told for a while."""

    id: str
    by: str
    since: Time
    until: Time
    camera: str | None
    rule: str | None


class SnoozeMade(SnoozeView):
    """A new snooze."""

    url: str
    replaced: tuple[SnoozeView, ...] = Field(description="Those about the same that lasted still; they are ended.")


def alert_view(alert: Alert, acknowledged: Acknowledgement | None, pin: AlertPin | None) -> AlertView:
    """Show an alert in a list."""
    facts = {name: getattr(alert, name) for name in AlertFacts.model_fields}
    return AlertView(
        **facts | {"description": alert.description or describe(alert.raised_for)},
        at=timestamp(alert.at),
        started_at=timestamp(alert.started_at),
        acknowledged=seen(acknowledged) if acknowledged else None,
        pinned=pin is not None,
        url=f"/alerts/{alert.number}",
    )


def whole_alert(
    listed: AlertView, facts: Event, stored: StoredEvent | None, attempts: Sequence[AlertAttempt]
) -> WholeAlert:
    """Show an alert by itself. `facts` are the event's as the alert was raised, `stored` the event, if it is kept."""
    pictures_at = f"/api/v1/alerts/{listed.number}/pictures"
    return WholeAlert(
        **dict(listed),
        details=event_view(stored or StoredEvent(facts, {}), listed.number, pictures_at),
        kept=stored is not None,
        sent=tuple(attempt_views(attempts)),
    )


def event_view(stored: StoredEvent, number: int | None, pictures_at: str) -> CameraEvent:
    """Show an event. Whatever program told it, all members are there."""
    event = stored.event
    return CameraEvent(
        **facts_of(event),
        description=describe(event),
        started_at=timestamp(event.started_at),
        ended_at=None if event.ended_at is None else timestamp(event.ended_at),
        pictures=tuple(PictureLink(name=name, url=f"{pictures_at}/{name}") for name in in_order(stored.pictures)),
        alert=number,
    )


def in_order(pictures: Mapping[str, int]) -> list[str]:
    """Sort pictures as a person looks at them."""
    return sorted(pictures, key=lambda name: (LARGE.index(name) if name in LARGE else len(LARGE), name))


def attempt_views(attempts: Sequence[AlertAttempt]) -> list[NotificationAttempt]:
    """Show what was sent to whom, in order; `result` is `unknown` for what was begun and has no answer (yet)."""
    return sorted(map(_attempt, attempts), key=lambda line: (line.at, line.channel, line.attempt))


def seen(acknowledged: Acknowledgement) -> Acknowledged:
    """Show who acknowledged an alert."""
    return Acknowledged(by=acknowledged.by, at=timestamp(acknowledged.at), note=acknowledged.note)


def suppressed_view(held: Suppression, number: int | None) -> SuppressedEvent:
    """Show why an event did not become an alert; `alert` when it became one later."""
    facts = {name: getattr(held, name) for name in SuppressionFacts.model_fields}
    return SuppressedEvent(**facts, started_at=timestamp(held.started_at), at=timestamp(held.at), alert=number)


def snooze_view(named: Named) -> SnoozeView:
    """Show a snooze that lasts."""
    found = named.snooze
    return SnoozeView(
        id=named.id,
        by=named.by,
        since=timestamp(found.since),
        until=timestamp(found.until),
        camera=found.camera,
        rule=found.rule,
    )


def _attempt(attempt: AlertAttempt) -> NotificationAttempt:
    sent, known = attempt.sent, attempt.begun or attempt.sent
    return NotificationAttempt(
        channel=attempt.channel,
        attempt=attempt.attempt,
        at=timestamp(known.at if known else 0.0),
        result=sent.result if sent else "unknown",
        status=sent.status if sent else None,
        answer=sent.answer if sent else "",
        attached=sent.attached if sent else "",
        reason=sent.reason if sent else "it was begun, and there is no answer yet",
        next_at=timestamp(sent.next_at) if sent and sent.next_at else None,
    )
