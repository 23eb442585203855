"""Looks at one small grey frame after the other and says what each showed.

The steps are those of Frigate's and Viseron's detectors (small grey picture, contrast stretch, mask, blur, difference
to a running average, threshold, dilate, contours; nearly everything changed: calibrate again), with four additions for
one frame a second: what differs from the background must also differ from the frame before, shifted pictures are
aligned, regions that only light explains are left out, and what came to rest becomes background.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from imagemill.domain.events import Region
from imagemill.domain.motion_kinds import Verdict
from imagemill.domain.motion_settings import MotionSettings
from imagemill.motion import pixels
from imagemill.motion.frames import Gray
from imagemill.motion.pixels import Levels, Mask
from imagemill.motion.regions import RegionsFound, Scene, changed_mask, changed_share, find_regions
from imagemill.motion.shift import NO_SHIFT, Shift, known_after, moved, shift_between

# Grey levels (of 255, stretched) that a pixel must change by at sensitivity 50; 0 doubles and 100 halves it.
BASE_THRESHOLD = 30.0
# A threshold below this multiple of the noise would see motion in every dark picture: 6 sigma is one pixel in 10^9.
# Noise is estimated by a median, which a change of half the picture takes for noise: it may double the threshold only.
NOISE_SIGMAS = 6.0
MOST_RAISED = 2.0
# Above this share changed it is not something in the picture but the picture; above the smaller one too, when nothing
# of the place's fine structure is left. Measured: other places -0.05..0.05, a mover over 44 % of the picture 0.5.
MOST_CHANGED = 0.8
MUCH_CHANGED = 0.4
OTHER_PLACE_LIKENESS = 0.1
# Correlation of the whole picture's fine structure under changed light: 0.9 and more was measured.
SAME_PLACE_LIKENESS = 0.5
# Daylight moves the background within this time; a thing at rest for this long becomes background.
LEARN_SECONDS = 20.0
REST_SECONDS = 5.0
# A shift that stays this long is the camera's new place.
SHIFT_STAYS_SECONDS = 5.0
# One step of time counts at most this much: frames that were missed are not observations.
MOST_STEPS = 5


@dataclass(frozen=True)
class Observation:
    """What one frame showed."""

    verdict: Verdict
    regions: tuple[Region, ...] = ()
    changed: float = 0.0

    @property
    def value(self) -> float:
        """How good a picture of the motion this is: large and sure regions, cut off by the border for less."""
        return sum(region.score * math.sqrt(region.area) * (0.6 if _is_cut(region) else 1.0) for region in self.regions)


class Detector:
    """The pixels' memory of one source: background, frame before, and how long each changed pixel has been at rest."""

    def __init__(self, settings: MotionSettings) -> None:
        self.settings = settings
        self.threshold: float = BASE_THRESHOLD * 2.0 ** ((50 - settings.sensitivity) / 50)
        self.background: Levels | None = None
        self.previous: Levels | None = None
        self._rest: Levels | None = None
        self._strange: Levels | None = None
        self._shift: tuple[Shift, float] | None = None
        # Of the frame before and of this one, against the background.
        self._moved_before = self._moved_now = NO_SHIFT
        self._visible: Mask = np.zeros((0, 0), np.bool_)
        self._zones: dict[str, Mask] = {}

    def forget(self) -> None:
        """Begin anew with the next frame, as after a long gap."""
        self.background = None

    def observation(self, gray: Gray, elapsed_seconds: float) -> Observation:
        """Judge the next frame; `elapsed_seconds` is the time since the one before."""
        current = pixels.smooth(gray)
        step = min(elapsed_seconds, MOST_STEPS * self.settings.interval_seconds)
        if self.background is None or self.background.shape != current.shape:
            self.recalibrate(current)
            observation = Observation("calibrating")
        else:
            observation = self._judge(self.background, current, step)
        self.previous, self._moved_before = current, self._moved_now
        return observation

    def recalibrate(self, current: Levels) -> None:
        """Take this picture for the background."""
        if self._visible.shape != current.shape:
            self._draw(current.shape)
        self.background = current.copy()
        self._rest = np.zeros_like(current)
        self._strange = self._shift = None
        self._moved_now = NO_SHIFT

    def _draw(self, shape: tuple[int, ...]) -> None:
        settings = self.settings
        self._zones = {zone.name: pixels.raster([zone.points], shape) for zone in settings.zones}
        self._visible = ~pixels.raster(settings.masks, shape)
        if settings.only_zones and settings.zones:
            self._visible &= pixels.raster([zone.points for zone in settings.zones], shape)

    def _judge(self, background: Levels, current: Levels, step: float) -> Observation:
        difference = cv2.absdiff(background, current) * pixels.stretch_gain(background, self._visible)
        changed = changed_mask(difference, self._limit(difference, self._visible), self._visible)
        self._moved_now = NO_SHIFT
        if not changed.any():
            return self._quiet(background, current, step)
        shift = shift_between(background, current)
        self._moved_now = shift or NO_SHIFT
        if shift is not None:
            return self._shaken(background, current, shift, step)
        # How much changed is counted at the base threshold: that of a noisy picture would hide a changed scene.
        whole = changed_share(changed_mask(difference, self.threshold, self._visible), self._visible)
        if whole > MUCH_CHANGED and (observation := self._all_changed(background, current, whole)):
            return observation
        self._shift = self._strange = None
        return self._learned(self._compare(background, current, self._visible), background, current, step)

    def _limit(self, difference: Levels, visible: Mask) -> float:
        noise = NOISE_SIGMAS * pixels.noise_sigma(difference, visible)
        return min(max(self.threshold, noise), MOST_RAISED * self.threshold)

    def _quiet(self, background: Levels, current: Levels, step: float) -> Observation:
        self._shift = self._strange = None
        self._learn(background, current, np.zeros_like(self._visible), step)
        return Observation("quiet")

    def _all_changed(self, background: Levels, current: Levels, whole: float) -> Observation | None:
        """Another light, a glitch, another scene; None when it is still the same scene with a large mover."""
        alike = _place_likeness(background, current, self._visible)
        if whole <= MOST_CHANGED and alike > OTHER_PLACE_LIKENESS:
            return None
        if alike > SAME_PLACE_LIKENESS:
            self.recalibrate(current)
            return Observation("lighting", changed=whole)
        if self._strange is None:
            self._strange = current
            return Observation("glitch", changed=whole)
        self.recalibrate(current)
        return Observation("scene", changed=whole)

    def _shaken(self, background: Levels, current: Levels, shift: Shift, step: float) -> Observation:
        aligned = moved(background, shift)
        observation, _ = self._compare(aligned, current, known_after(self._visible, shift))
        since = self._shift[1] + step if self._shift and self._shift[0].is_near(shift) else 0.0
        self._shift, self._strange = (shift, since), None
        if since >= SHIFT_STAYS_SECONDS and not observation.regions:
            self.recalibrate(current)
        return observation if observation.regions else replace(observation, verdict="shake")

    def _compare(self, background: Levels, current: Levels, visible: Mask) -> tuple[Observation, Mask]:
        """Judge two pictures of the same view; also the pixels that differ."""
        ground = pixels.relit(background, current, visible)
        difference = cv2.absdiff(ground, current) * pixels.stretch_gain(ground, visible)
        limit = self._limit(difference, visible)
        scene = Scene(difference, limit, visible, ground, current, self._fresh(current, limit), self._zones)
        found = find_regions(scene, self.settings.min_area)
        changed = changed_mask(difference, limit, visible)
        return Observation(_verdict(found), found.moving, changed_share(changed, visible)), changed

    def _fresh(self, current: Levels, limit: float) -> Mask:
        """Where the picture differs from the frame before, the camera's shake between the two taken out."""
        if self.previous is None or self.previous.shape != current.shape:
            return np.ones(current.shape, np.bool_)
        shift = shift_between(self.previous, current)
        # Where the only thing to be seen is what moves, its way looks like a shift too: the background knows better.
        shaken = shift and shift.is_near(self._moved_now.since(self._moved_before))
        before = moved(self.previous, shift) if shift and shaken else self.previous
        before = pixels.relit(before, current, self._visible)
        fresh = cv2.absdiff(before, current) * pixels.stretch_gain(before, self._visible) > limit
        return np.asarray(cv2.dilate(fresh.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, np.bool_)

    def _learned(
        self, compared: tuple[Observation, Mask], background: Levels, current: Levels, step: float
    ) -> Observation:
        observation, changed = compared
        if observation.verdict == "lighting":
            self.recalibrate(current)
        else:
            self._learn(background, current, changed, step)
        return observation

    def _learn(self, background: Levels, current: Levels, changed: Mask, step: float) -> None:
        """Average what did not change; take over what changed and has been at rest since."""
        rate = 1.0 - math.exp(-step / LEARN_SECONDS)
        cv2.accumulateWeighted(current, background, rate, (~changed).astype(np.uint8))
        if self._rest is None or self._rest.shape != changed.shape:
            self._rest = np.zeros_like(current)
        at_rest = changed & ~self._fresh(current, self.threshold) if changed.any() else changed
        self._rest = np.where(at_rest, self._rest + np.float32(step), np.float32(0.0))
        settled = self._rest >= REST_SECONDS
        background[settled] = current[settled]


def _verdict(found: RegionsFound) -> Verdict:
    if found.moving:
        return "motion"
    return "lighting" if found.lit else "quiet"


def _place_likeness(background: Levels, current: Levels, visible: Mask) -> float:
    """Likeness of fine structure; two empty walls are the same place, a wall and anything else are not."""
    before, now = pixels.fine_structure(background)[visible], pixels.fine_structure(current)[visible]
    if pixels.is_flat(before) and pixels.is_flat(now):
        return 1.0
    return pixels.likeness(before, now)


def _is_cut(region: Region) -> bool:
    return min(region.x, region.y) <= 0.01 or max(region.x + region.width, region.y + region.height) >= 0.99
