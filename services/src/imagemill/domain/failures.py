"""How failures end: retried, and solved when the retry is stored; or discarded with a note. Neither changes a count."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from imagemill.domain.images import Image, Outcome
from imagemill.domain.record import Record

ResolutionKind = Literal["retried", "discarded"]
FailureState = Literal["open", "retried", "solved", "discarded"]
STATES: tuple[FailureState, ...] = ("open", "retried", "solved", "discarded")
MAX_NOTE_LENGTH = 500

_ADVICE: Mapping[str, str] = {
    "undecodable": "Open it in an image editor, save it again and upload that; the same bytes will fail again.",
    "damaged": "Upload an intact copy; what is left of this one is stored where `damaged_images` is `store`.",
    "original-missing": "Upload it again; `imagemill verify` tells you whether other originals are missing too.",
    "step-failed": "Retry it with another recipe: a step of this one does not fit this picture.",
    "unencodable": "Retry it with a recipe whose last step writes another format.",
    "crashed": "Retry it once, with a lighter recipe if there is one; if it crashes again, discard it.",
    "unknown-recipe": "Retry it with a recipe that exists.",
}
_OTHERWISE = "Retry it; if it fails again, discard it with a note."


class Resolution(Record):
    """How somebody answered a failure: with the retry of that id, or by discarding it."""

    id: str = Field(description="The failed picture.")
    batch: str
    kind: ResolutionKind
    at: str
    by: str
    retry: str | None = Field(None, description="The picture that tries it again.")
    note: str = Field("", description="Why it was discarded.")


def advice(code: str | None) -> str:
    """What to do about a failure, in one sentence."""
    return _ADVICE.get(code or "", _OTHERWISE)


def failure_state(resolution: Resolution | None, last_retry: Image | None) -> FailureState:
    """Where a failure stands; `last_retry` is the end of its chain of retries.

    >>> failure_state(None, None)
    'open'
    """
    if resolution is None:
        return "open"
    if resolution.kind == "retried" and last_retry is not None and last_retry.status == "stored":
        return "solved"
    return resolution.kind


def failed_at(outcome: Outcome) -> tuple[str, str]:
    """The stage at which a picture failed, and who was at it: the writer only writes it down."""
    marks = {step.step: step.by for step in outcome.trace}
    if "taken" in marks:
        return "at work", marks.get("done", marks["taken"])
    return "in its queue", outcome.trace[-1].by if outcome.trace else ""
