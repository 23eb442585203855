"""A camera as people describe it. It holds no secret: users and passwords are in a file, by name."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, Strict, field_serializer, model_validator

from imagemill.domain.definitions import Flag, Revised, mistake
from imagemill.domain.motion_settings import MotionSettings
from imagemill.domain.redact import redact

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_RESERVED = ("new", "test")


def slug(name: str) -> str:
    """Make an id from a name: `Back yard` becomes `back-yard`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:63]


def _stripped(value: Any) -> Any:
    return value.strip() or None if isinstance(value, str) else value


def _id(text: str) -> str:
    if not ID.fullmatch(text):
        raise ValueError(f"{text!r} cannot be a camera's id; use 1 to 63 lower-case letters, digits, '-' and '_'")
    if text in _RESERVED:
        raise ValueError(f"{text!r} cannot be a camera's id, as a page has that address; choose another")
    return text


def _line(member: str, maximum: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) > maximum or any(unicodedata.category(character) == "Cc" for character in text):
            raise ValueError(f"{member} must be at most {maximum} characters without line breaks")
        return text

    return AfterValidator(check)


def _without_secrets(address: str) -> str:
    """Refuse secrets without repeating them: an answer or a log would then hold them."""
    try:
        has_user = "@" in urlsplit(address).netloc
    except ValueError:
        raise ValueError("the address is not a URL; one looks like rtsp://camera.example/stream") from None
    if has_user or redact(address) != address:
        raise ValueError(
            "the address holds a user, a password or a key; put them into the credentials file and name the entry"
        )
    return address


class Camera(Revised):
    """One camera. `id` is also the source's name on frames and events; it follows from the name, if it is not given.

    Without an address nothing is read: pictures come by being posted with `source=` and the id. `loop` and `paced` are
    for files.
    """

    noun: ClassVar[str] = "a camera"
    member_noun: ClassVar[str] = ""
    id: Annotated[str, AfterValidator(_id)] = Field(
        description="Also the source of its events.", json_schema_extra={"pattern": f"^{ID.pattern}$"}
    )
    name: Annotated[str, _line("name", 100)] = Field(json_schema_extra={"maxLength": 100})
    address: Annotated[str, _line("address", 1000), AfterValidator(_without_secrets)] | None = Field(
        None,
        description="rtsp, rtsps, http, https, file, or a path below the folder of files; no user, no password. "
        "null: pictures come by being posted with the id as `source`.",
    )
    credentials: Annotated[str, _line("credentials", 100)] | None = Field(
        None, description="The name of an entry of the credentials file."
    )
    frames_per_second: Annotated[float, Strict()] = Field(1.0, ge=0.01, le=30)
    motion: MotionSettings = Field(
        default_factory=MotionSettings, description="Motion settings that are not the usual ones: sensitivity, masks, …"
    )
    enabled: Flag = True
    loop: Flag = Field(True, description="A file begins again at its end.")
    paced: Flag = Field(True, description="A file is played at its own speed.")

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        """Take empty texts for none, and the id from the name or the name from the id."""
        if not isinstance(given, Mapping):
            return given
        texts = {member: _stripped(given.get(member)) for member in ("id", "name", "address", "credentials")}
        name = texts["name"] or texts["id"]
        if not name:
            raise mistake("name", "a camera needs a name")
        return {**given, **texts, "name": name, "id": texts["id"] or slug(str(name))}

    @field_serializer("motion")
    def _as_given(self, motion: MotionSettings) -> dict[str, Any]:
        return motion.model_dump(mode="json", exclude_unset=True)

    @property
    def is_read(self) -> bool:
        """Shall a reader hold it?"""
        return self.enabled and self.address is not None

    @property
    def motion_settings(self) -> MotionSettings:
        """Its motion settings; frames come as often as the camera is read, unless they say something else."""
        if "interval_seconds" in self.motion.model_fields_set:
            return self.motion
        return self.motion.model_copy(update={"interval_seconds": 1.0 / self.frames_per_second})
