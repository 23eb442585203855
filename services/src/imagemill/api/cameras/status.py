"""How a camera is, from what its reader has written."""

import time
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from imagemill.domain.cameras import Camera
from imagemill.store.camera_leases import Reader, View

State = Literal["live", "stalled", "offline", "unassigned", "disabled", "posted", "ended"]
Count = Annotated[int, Field(ge=0)]
# Of a reader that was never seen before only its own clock tells; clocks may differ so much.
_STRANGE_SECONDS = 60.0


class CameraCounts(BaseModel):
    """Of the analyzer, since it began to see the camera; `missed` are gaps in the frames' numbers."""

    model_config = ConfigDict(frozen=True)
    frames: Count = 0
    missed: Count = 0
    late: Count = 0
    unreadable: Count = 0
    at: str | None


class CameraStatus(BaseModel):
    """How it is now."""

    model_config = ConfigDict(frozen=True)
    state: State
    problem: str | None = Field(description="Why it is not live, in a sentence.")
    since: float | None = Field(description="Unix time since when it is in this state.")
    reader: str | None = Field(description="The reader that holds it.")
    generation: Count = Field(description="Grows with every reader that takes it.")
    counts: CameraCounts | None


def status_of(camera: Camera, view: View, alive: Mapping[str, Reader], counts: CameraCounts | None) -> CameraStatus:
    """Put together state, reader and counts."""
    lease = view.leases.get(camera.id)
    state, problem = state_of(camera, view, alive)
    return CameraStatus(
        state=state,
        problem=problem,
        since=lease.since if lease and lease.state == state else None,
        reader=lease.holder if lease and lease.holder in alive else None,
        generation=lease.generation if lease else 0,
        counts=counts,
    )


def state_of(camera: Camera, view: View, alive: Mapping[str, Reader]) -> tuple[State, str | None]:
    """Tell the state and why; `disabled`, `posted` and `ended` when nobody shall read it now."""
    lease = view.leases.get(camera.id)
    if not camera.enabled:
        return "disabled", None
    if camera.address is None:
        return "posted", "it has no address: pictures come by being posted with its id as source"
    if lease is not None and lease.ended == camera.revision:
        return "ended", "the file was played to its end; saving the camera plays it again"
    if lease is None or lease.holder not in alive:
        return "unassigned", _why_nobody(lease.problem if lease else None, alive)
    read: dict[str, State] = {"live": "live", "stalled": "stalled", "offline": "offline"}
    if lease.state in read:
        return read[lease.state], lease.problem
    return "offline", "it is being opened"


def is_recent(reader: Reader) -> bool:
    """Has it written lately, by its own clock?"""
    return abs(time.time() - reader.at) < _STRANGE_SECONDS


def _why_nobody(problem: str | None, alive: Mapping[str, Reader]) -> str:
    if not alive:
        return "no camera reader runs; start one"
    return problem or "a reader takes it in a moment"
