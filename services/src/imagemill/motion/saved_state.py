"""A source's state as JSON and small files: a restart in mid-event yields neither a second nor a false event."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from imagemill.domain.events import Region
from imagemill.domain.motion_settings import MotionSettings
from imagemill.motion import pixels
from imagemill.motion.detector import Detector, Observation
from imagemill.motion.frames import Frame
from imagemill.motion.frozen import FrozenWatch
from imagemill.motion.keeper import ANNOTATED, BEFORE, BEST, Kept, Strip
from imagemill.motion.machine import EventMachine, Moment
from imagemill.motion.opened import OpenEvent

# A saved state of another version is not read: the source begins anew.
VERSION = 2
BACKGROUND, PREVIOUS, FROZEN, LEFT = "background.png", "previous.png", "frozen.png", "left.jpg"


@dataclass(frozen=True)
class SavedState:
    """What a restart needs: a JSON document, up to three small grey PNGs, and the pictures of an open event."""

    state: dict[str, Any]
    files: dict[str, bytes] = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """Bytes of the files."""
        return sum(len(data) for data in self.files.values())


def save_pixels(detector: Detector, frozen: FrozenWatch) -> dict[str, bytes]:
    """The detector's memory; rounding it to whole grey levels is far below every threshold."""
    pictures = {
        BACKGROUND: detector.background,
        PREVIOUS: detector.previous,
        FROZEN: frozen.reference if frozen.same_seconds else None,
    }
    return {name: pixels.as_png(picture) for name, picture in pictures.items() if picture is not None}


def load_pixels(detector: Detector, frozen: FrozenWatch, saved_state: SavedState) -> None:
    """What `save_pixels` saved, unless the camera's settings ask for another height now."""
    read = {n: pixels.from_png(saved_state.files[n]) for n in (BACKGROUND, PREVIOUS, FROZEN) if n in saved_state.files}
    background = read.get(BACKGROUND)
    if background is None or background.shape[0] != detector.settings.height:
        return
    detector.recalibrate(background.astype(np.float32))
    if PREVIOUS in read:
        detector.previous = read[PREVIOUS].astype(np.float32)
    frozen.resume(read.get(FROZEN), saved_state.state["same_seconds"] if FROZEN in read else 0.0)


def save_events(machine: EventMachine, pictures: bool) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The open event, or the frames that may become one, as JSON and files."""
    cool = machine.cool_until
    state = {
        "cool_until": cool if cool != float("-inf") else None,
        "event": machine.opened.as_dict() if machine.opened else None,
        "strip": _strip_as_dict(machine.kept),
        "pending": [_moment_as_dict(moment) for moment in machine.pending],
    }
    return state, _pictures(machine) if pictures else {}


def load_events(machine: EventMachine, saved_state: SavedState) -> None:
    """What `save_events` saved."""
    state, files = saved_state.state, saved_state.files
    if state["cool_until"] is not None:
        machine.cool_until = state["cool_until"]
    machine.left = files.get(LEFT)
    for index, saved in enumerate(state["pending"]):
        machine.window.append(_moment(saved, files.get(_pending_name(index), b"")))
    if state["event"] is not None:
        machine.opened = OpenEvent.from_dict(state["event"])
        machine.kept = _kept(files, state["strip"], machine.settings)


def _pictures(machine: EventMachine) -> dict[str, bytes]:
    files = machine.kept.files() if machine.kept else {}
    files |= {_pending_name(index): moment.frame.data for index, moment in enumerate(machine.pending)}
    if machine.left is not None and (machine.pending or machine.opened):
        files[LEFT] = machine.left
    return files


def _pending_name(index: int) -> str:
    return f"pending-{index:02}.jpg"


def _strip_as_dict(kept: Kept | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    return {"every": kept.strip.every, "seen": kept.strip.seen, "at": [at for at, _ in kept.strip.pictures]}


def _kept(files: dict[str, bytes], strip: dict[str, Any] | None, settings: MotionSettings) -> Kept:
    kept = Kept(Strip(settings.strip_frames), files.get(BEFORE), files.get(BEST), files.get(ANNOTATED))
    if strip:
        names = [(at, f"strip-{index:02}.jpg") for index, at in enumerate(strip["at"])]
        kept.strip.pictures = [(at, files[name]) for at, name in names if name in files]
        kept.strip.every, kept.strip.seen = strip["every"], strip["seen"]
    return kept


def _moment_as_dict(moment: Moment) -> dict[str, Any]:
    observation, frame = moment.observation, moment.frame
    return {
        "at": frame.at,
        "sequence": frame.sequence,
        "generation": frame.generation,
        "steady": moment.steady,
        "frozen": moment.frozen,
        "verdict": observation.verdict,
        "changed": observation.changed,
        "regions": [region.as_json() for region in observation.regions],
    }


def _moment(saved: dict[str, Any], data: bytes) -> Moment:
    regions = tuple(Region.parse(region) for region in saved["regions"])
    frame = Frame(saved["at"], data, saved["sequence"], saved["generation"])
    return Moment(frame, Observation(saved["verdict"], regions, saved["changed"]), saved["frozen"], saved["steady"])
