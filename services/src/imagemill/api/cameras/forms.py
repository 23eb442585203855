"""A camera as the fields of a form, and back. Motion settings without fields of their own are one field of JSON."""

import json
from typing import Any

from flask import request

from imagemill.api.cameras.areas import areas_of, text_of
from imagemill.api.web.bodies import parse_object
from imagemill.api.web.forms import flags, number, text
from imagemill.domain.cameras import Camera
from imagemill.domain.errors import Invalid
from imagemill.domain.motion_settings import MotionSettings
from imagemill.domain.redact import redact

Json = dict[str, Any]
_TEXTS = ("id", "name", "address", "credentials")
_FLAGS = ("enabled", "loop", "paced")
_TICKS = ("only_zones", "people")
_OWN_FIELDS = ("sensitivity", *_TICKS, "masks", "zones")
_USUAL_SENSITIVITY = MotionSettings().sensitivity
NEW = Camera(id="unsaved", name="unsaved")


def given() -> Json:
    """Read the camera that the form describes, as JSON; raises Invalid."""
    rate = number("frames_per_second")
    texts = {name: found for name in _TEXTS if (found := text(name))}
    return texts | flags(*_FLAGS) | {"frames_per_second": rate, "motion": _motion()}


def as_typed() -> Json:
    """Keep what was typed, so that nothing has to be typed again, but for secrets."""
    names = (*_TEXTS, "frames_per_second", "revision", "areas", "more", "sensitivity")
    typed = {name: request.form[name] for name in names if name in request.form}
    return typed | flags(*_FLAGS, *_TICKS) | {"address": redact(typed.get("address", ""))}


def fields_of(camera: Camera) -> Json:
    """Show a camera as its fields."""
    shown, motion = camera.as_json(), camera.motion
    more = {name: value for name, value in shown["motion"].items() if name not in _OWN_FIELDS}
    return shown | {
        **{name: getattr(motion, name) for name in ("sensitivity", *_TICKS)},
        "areas": text_of(motion),
        "more": json.dumps(more, indent=2) if more else "",
        "revision": camera.revision,
    }


def _motion() -> Json:
    more = _json(text("more") or "{}")
    sensitivity = number("sensitivity")
    own: Json = {} if sensitivity == _USUAL_SENSITIVITY else {"sensitivity": sensitivity}
    own |= {name: True for name in _TICKS if name in request.form}
    return more | own | areas_of(request.form.get("areas", ""))


def _json(typed: str) -> Json:
    found = parse_object(typed)
    if found is None:
        raise Invalid("bad-camera", 'more settings must be a JSON object, for example {"quiet_seconds": 20}', "more")
    return found
