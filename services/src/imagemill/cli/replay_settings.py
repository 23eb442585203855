"""The settings that a replay compares. Loaded by `replay` alone: the models of settings are slow to import."""

from typing import Any

import typer

from imagemill.cli import console
from imagemill.domain.motion_settings import MotionSettings, with_changes

Json = dict[str, Any]


def settings_of(camera: Json | None) -> MotionSettings:
    """Read a camera's settings from the API's answer; the defaults without one."""
    if camera is None:
        return MotionSettings()
    rate = float(camera.get("frames_per_second", 1.0))
    return MotionSettings.parse({"interval_seconds": 1 / rate, **camera.get("motion", {})})


def compared(now: MotionSettings, changes: list[str]) -> tuple[MotionSettings, MotionSettings]:
    """Apply the changes; both settings are without the people detector. Raises BadParameter."""
    try:
        then = with_changes(now, changes)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if then == now:
        raise typer.BadParameter(f"{', '.join(changes)} is as it is set now; nothing would come or go.")
    before, after = _without_people(now), _without_people(then)
    if before == after:
        raise typer.BadParameter("A replay does not look for people, so it cannot tell what that would change.")
    if (before, after) != (now, then):
        console.hint("People are not looked for in a replay: events count as if somebody was found in them.")
    return before, after


def _without_people(settings: MotionSettings) -> MotionSettings:
    when = settings.alert_when.model_copy(update={"people": False})
    return settings.model_copy(update={"people": False, "alert_when": when})


def words_of(before: MotionSettings, after: MotionSettings) -> str:
    """Name what differs: `sensitivity 50 → 70`."""
    old, new = (_flat(settings.as_json()) for settings in (before, after))
    return ", ".join(f"{name} {_short(old[name])} → {_short(new[name])}" for name in old if old[name] != new[name])


def _flat(settings: Json) -> Json:
    when = {f"alert_when.{name}": value for name, value in settings["alert_when"].items()}
    return {name: value for name, value in settings.items() if name != "alert_when"} | when


def _short(value: Any) -> str:
    """Areas have too many corners to be read; their number tells that they changed."""
    if isinstance(value, list):
        return (
            f"({len(value)} areas)" if any(not isinstance(item, str) for item in value) else ",".join(value) or "none"
        )
    return f"{value:g}" if isinstance(value, float) else str(value)
