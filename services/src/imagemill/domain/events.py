"""An event of a camera: one shape in memory, on the wire and in the store, from which the API's answer is made too.

To add a member is to add a field to `EventFacts` (everybody sees it) or to `Event` (it is kept, and not shown).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, WithJsonSchema

from imagemill.domain.motion_kinds import EventClass
from imagemill.domain.record import Record

Change = Literal["new", "update", "end"]
# A whole number stays one: 1 is written again as 1, not as 1.0, so that a signed text is the same at every attempt.
Real = Annotated[float | int, WithJsonSchema({"type": "number"})]
Box = tuple[Real, Real, Real, Real]
_NULLABLE_CLASS = {"enum": ["detection", "alert"], "description": "What the camera's settings make of it."}


class _Passed(Record):
    """What is passed on as it came: members that a newer program wrote are kept, and absent ones stay absent."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, json_schema_serialization_defaults_required=True)

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read the JSON form, or a document; raises ValueError."""
        return cls.model_validate({name: value for name, value in given.items() if not name.startswith("_")})

    @classmethod
    def recall(cls, kept: Mapping[str, Any]) -> Self:
        """Read what is kept, for people who want to see it: a member that is wrong is left out where it may be absent.

        Programs of former versions kept what they were told without asking what it is. Raises ValueError.
        """
        try:
            return cls.parse(kept)
        except ValidationError as error:
            wrong = {one["loc"][0] for one in error.errors(include_url=False)}
            return cls.parse({name: value for name, value in kept.items() if name not in wrong})

    def as_json(self, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Make the JSON form that `parse` reads back."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=set(without))


class Region(_Passed):
    """A part of the picture that moved; x, y, width, height and area are shares of it.

    `score` goes from 0 to 1: how sure it is.
    """

    x: Real
    y: Real
    width: Real
    height: Real
    area: Real
    score: Real
    zones: tuple[str, ...] = ()

    def rounded(self) -> "Region":
        """Make it as exact as a person can use."""
        return Region(
            x=round(self.x, 4), y=round(self.y, 4), width=round(self.width, 4), height=round(self.height, 4),
            area=round(self.area, 4), score=round(self.score, 4), zones=self.zones,
        )  # fmt: skip


class People(_Passed):
    """What the people detector found: boxes as shares of the picture (x, y, width, height), and how slow it was."""

    boxes: tuple[Box, ...]
    seconds: Real = Field(description="How long it took to find them.")
    sentence: str = Field(description="What to show beside the result.")

    @classmethod
    def found(cls, boxes: tuple[Box, ...], seconds: float) -> "People":
        """Put the finding into a sentence."""
        count = len(boxes)
        sentence = f"{count} {'person' if count == 1 else 'people'} found in {seconds:.2f} s per frame"
        return cls(boxes=boxes, seconds=seconds, sentence=sentence)


class EventFacts(_Passed):
    """What everybody may see of an event. Any program may tell one: all but the first members may be absent."""

    id: str
    source: str = Field(description="The camera's id.")
    kind: str = Field(description="motion, scene, frozen or offline.")
    event_class: Annotated[EventClass | None, WithJsonSchema(_NULLABLE_CLASS)] = Field(None, alias="class")
    end_reason: str | None = None
    seconds: Real | None = Field(None, description="From the first to the last frame that showed it.")
    score: Real | None = Field(None, description="0 to 1: how sure it is.")
    area: Real | None = Field(None, description="The largest share of the picture that moved.")
    zones: tuple[str, ...] | None = None
    regions: tuple[Region, ...] | None = None
    people: People | None = Field(None, description="What the people detector found, and how slow it was.")
    frames: int | None = None
    moving_frames: int | None = None


class Event(EventFacts):
    """What happened at one source. Times are seconds since the epoch by the source's frames.

    The id follows from the source and the first frame, so the same frames give the same id however often they are
    seen. `last_at` is the last frame that showed it; `ended_at` is None until the event has ended. `reason` says why
    a camera is away: it names hosts and paths.
    """

    started_at: Real
    last_at: Real | None = None
    ended_at: Real | None = None
    best_at: Real | None = None
    reason: str | None = None

    @property
    def shown_until(self) -> float:
        """The last frame that showed it, as far as that is known."""
        return self.started_at if self.last_at is None else self.last_at

    def for_everybody(self) -> dict[str, Any]:
        """Make the JSON form without the reason, which not everybody who follows may know."""
        return self.as_json(without=frozenset({"reason"}))


def facts_of(event: Event) -> dict[str, Any]:
    """List what everybody may see, by the names of the fields of `EventFacts`."""
    return {name: getattr(event, name) for name in EventFacts.model_fields}
