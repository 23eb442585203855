"""What the alerter keeps: each document is written once, so that nothing can conflict.

What was sent, acknowledged or suppressed is a document of its own beside the alert; state is read from all of them.
Secrets are in none: channels are named by their names.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema, field_serializer, field_validator

from imagemill.domain.events import Event, Real
from imagemill.domain.record import Record

_Kind = Annotated[str, Field(description="motion, scene, frozen or offline.")]
_Count = Annotated[int, Field(ge=0)]
AttemptResult = Literal["sent", "failed", "given_up"]


class _AlertRecord(Record):
    """A document, of which `id` and revision are the store's."""

    model_config = ConfigDict(populate_by_name=True, json_schema_serialization_defaults_required=True)

    def as_document(self) -> dict[str, Any]:
        """Make the JSON form, with all members."""
        return self.model_dump(mode="json", by_alias=True)


class AlertFacts(_AlertRecord):
    """What an alert is, in the store and in the API. `number` is 0 until it is numbered."""

    number: _Count = 0
    camera: str
    kind: _Kind
    event: str = Field(description="The event's id.")
    description: str = ""
    rules: tuple[str, ...]
    channels: tuple[str, ...]
    reason: str


class Alert(AlertFacts):
    """The alert as it was raised. `facts` are the event as it was then.

    What people are sent is made of them, so that every attempt sends the same.
    """

    type: Literal["alert"] = "alert"
    at: Real
    started_at: Real
    facts: Event | None = None

    @field_validator("facts", mode="before")
    @classmethod
    def _as_far_as_known(cls, facts: Any) -> Any:
        try:
            return Event.recall(facts) if isinstance(facts, Mapping) else facts
        except ValueError:
            return None  # What the alert says itself is shown.

    @field_serializer("facts")
    def _as_it_came(self, facts: Event | None) -> dict[str, Any] | None:
        return facts.as_json() if facts else None

    @property
    def raised_for(self) -> Event:
        """The event; of the first alerts only this is known."""
        return self.facts or Event(id=self.event, source=self.camera, kind=self.kind, started_at=self.started_at)


class SuppressionFacts(_AlertRecord):
    """Why an event did not become an alert."""

    event: str
    camera: str
    kind: _Kind
    event_class: Annotated[str | None, WithJsonSchema({"enum": ["detection", "alert"]})] = Field(alias="class")
    code: str
    reason: str


class Suppression(SuppressionFacts):
    """The document. An event is suppressed once per reason: it is judged again when it gets longer or clearer."""

    type: Literal["held"] = "held"
    at: Real
    started_at: Real


class BegunAttempt(_AlertRecord):
    """An attempt was begun; without a `SentAttempt` of the same place nobody knows how it ended."""

    type: Literal["begun"] = "begun"
    number: int
    channel: str
    by: str
    at: Real


class SentAttempt(_AlertRecord):
    """What was sent to whom, when, with which picture, with what answer, and what follows from it."""

    type: Literal["sent"] = "sent"
    number: int
    channel: str
    at: Real
    ok: bool
    status: int | None = None
    retry_after_seconds: Real | None = None
    answer: str = ""
    attached: str = ""
    result: AttemptResult
    next_at: Real | None = None
    reason: str


class AlertAttempt(Record):
    """One attempt to notify a channel, from 1: begun, sent, or (by older programs) only one of them recorded."""

    channel: str
    attempt: int
    begun: BegunAttempt | None = None
    sent: SentAttempt | None = None


class AcknowledgedAlert(_AlertRecord):
    """What an acknowledgement repeats of its alert, so that both are found by the same."""

    camera: str
    at: Real
    zones: tuple[str, ...] = ()
    event_class: str = Field("alert", alias="class")


class Acknowledgement(_AlertRecord):
    """Who has seen an alert; the first one counts. Former versions did not write `alert`."""

    type: Literal["acknowledged"] = "acknowledged"
    number: int
    by: str
    at: Real
    note: str = ""
    alert: AcknowledgedAlert | None = None

    def as_document(self) -> dict[str, Any]:
        """Make the JSON form, with `alert` where it is known."""
        return {name: value for name, value in super().as_document().items() if name != "alert" or value}


class AlertPin(_AlertRecord):
    """The pictures of an alert's event stay when their month goes."""

    type: Literal["pin"] = "pin"
    number: int
    event: str
    by: str
    at: Real


class ChannelSummary(Record):
    """What may be known of a channel; only the alerter knows its address.

    `outcomes` are those that it has subscribed to; with `callback` an upload may name it.
    """

    name: str
    kind: str
    address: str = ""
    outcomes: list[str] = Field(default_factory=list)
    callback: bool = False


class ChannelTest(Record):
    """What came of a sample that was sent over a channel."""

    type: Literal["test"] = "test"
    channel: str
    at: float
    ok: bool
    status: int | None = None
    answer: str
