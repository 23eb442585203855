"""A camera as people describe it. It holds no secret: users and passwords are in a file, by name."""

import dataclasses
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from imagemill.domain.motion_settings import MotionSettings, parse_settings
from imagemill.domain.redact import redact

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_RESERVED = ("new", "test")
_MOST_NAME = 100
_MOST_ADDRESS = 1000
_FRAMES_PER_SECOND = (0.01, 30.0)


class CameraError(ValueError):
    """A description that cannot be a camera's; the message is a sentence, `member` the part that is wrong."""

    def __init__(self, member: str, sentence: str) -> None:
        super().__init__(sentence)
        self.member = member


@dataclass(frozen=True)
class Camera:
    """One camera. `id` is also the source's name on frames and events.

    Without an address nothing is read: pictures come by being posted with `source=` and the id. `credentials` names an
    entry of the credentials file. `loop` and `paced` are for files. `revision` is that of the document it came from.
    """

    id: str
    name: str
    address: str | None = None
    credentials: str | None = None
    frames_per_second: float = 1.0
    motion: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    loop: bool = True
    paced: bool = True
    revision: str = field(default="", compare=False)

    @property
    def is_read(self) -> bool:
        """Shall a reader hold it?"""
        return self.enabled and self.address is not None

    @property
    def motion_settings(self) -> MotionSettings:
        """Its motion settings; frames come as often as the camera is read, unless they say something else."""
        return parse_settings({"interval_seconds": 1.0 / self.frames_per_second, **self.motion})


# What a person may give; `id` and `name` follow from each other.
MEMBERS = tuple(item.name for item in dataclasses.fields(Camera) if item.name != "revision")


def parse_camera(given: Mapping[str, Any]) -> Camera:
    """A camera from its JSON form; CameraError says in a sentence what is wrong with it."""
    for member in given:
        if member not in MEMBERS:
            raise CameraError(member, f"a camera has no {member!r}; it has {', '.join(MEMBERS)}")
    name = _text(given, "name", _MOST_NAME) or _text(given, "id", _MOST_NAME)
    if name is None:
        raise CameraError("name", "a camera needs a name")
    camera = Camera(
        id=_id(_text(given, "id", _MOST_NAME) or slug(name)),
        name=name,
        address=_address(_text(given, "address", _MOST_ADDRESS)),
        credentials=_text(given, "credentials", _MOST_NAME),
        frames_per_second=_rate(given.get("frames_per_second", 1.0)),
        motion=_mapping(given.get("motion", {})),
        enabled=_flag(given, "enabled"),
        loop=_flag(given, "loop"),
        paced=_flag(given, "paced"),
    )
    _check_motion(camera)
    return camera


def camera_as_dict(camera: Camera) -> dict[str, Any]:
    """The JSON form that `parse_camera` reads back."""
    return {member: getattr(camera, member) for member in MEMBERS} | {"motion": dict(camera.motion)}


def slug(name: str) -> str:
    """An id from a name: `Back yard` becomes `back-yard`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:63]


def _id(text: str) -> str:
    if not ID.fullmatch(text):
        sentence = f"{text!r} cannot be a camera's id; use 1 to 63 lower-case letters, digits, '-' and '_'"
        raise CameraError("id", sentence)
    if text in _RESERVED:
        raise CameraError("id", f"{text!r} cannot be a camera's id, as a page has that address; choose another")
    return text


def _text(given: Mapping[str, Any], member: str, most: int) -> str | None:
    value = given.get(member)
    if value is None:
        return None
    if not isinstance(value, str):
        raise CameraError(member, f"{member} is {type(value).__name__}; it must be text")
    text = value.strip()
    if len(text) > most or any(unicodedata.category(character) == "Cc" for character in text):
        raise CameraError(member, f"{member} must be at most {most} characters without line breaks")
    return text or None


def _address(text: str | None) -> str | None:
    """Refuses secrets without repeating them: an answer or a log would then hold them."""
    if text is not None and (_has_userinfo(text) or redact(text) != text):
        sentence = (
            "the address holds a user, a password or a key; put them into the credentials file and name the entry"
        )
        raise CameraError("address", sentence)
    return text


def _has_userinfo(address: str) -> bool:
    try:
        return "@" in urlsplit(address).netloc
    except ValueError:
        raise CameraError("address", "the address is not a URL; one looks like rtsp://camera.example/stream") from None


def _rate(value: Any) -> float:
    least, most = _FRAMES_PER_SECOND
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise CameraError("frames_per_second", f"frames_per_second is {value!r}; it must be from {least:g} to {most:g}")
    return float(value)


def _flag(given: Mapping[str, Any], member: str) -> bool:
    value = given.get(member, True)
    if not isinstance(value, bool):
        raise CameraError(member, f"{member} is {value!r}; it must be true or false")
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise CameraError("motion", f"motion is {type(value).__name__}; it must be an object of motion settings")
    return dict(value)


def _check_motion(camera: Camera) -> None:
    try:
        _ = camera.motion_settings
    except (ValueError, TypeError) as error:
        raise CameraError("motion", f"motion: {error}") from error
