"""The words for what is seen."""

from typing import Literal

Kind = Literal["motion", "scene", "frozen"]
EventClass = Literal["detection", "alert"]

# What one frame showed. `glitch` is a picture unlike the last ones that was not confirmed by a second one.
Verdict = Literal["calibrating", "quiet", "motion", "lighting", "shake", "glitch", "scene"]
