"""What to read: an address without secrets, credentials apart from it, and how often."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

FeedKind = Literal["rtsp", "http", "video", "folder"]

# A broker takes messages of at most 16 MiB; a frame must fit with its headers.
MAX_FRAME_BYTES = 15 * 1024 * 1024


class FeedError(Exception):
    """A feed that cannot be read; the message is a sentence without secrets."""


@dataclass(frozen=True)
class Credentials:
    """For RTSP and HTTP; never shown."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class FeedSpec:
    """One feed. `address` is a URL or a path and holds no credentials; `from_address` takes them out.

    `loop` and `paced` are for files: begin again at the end, and play at the stream's own speed instead of as fast as
    it can be read. `stall_seconds` without a frame, a connected feed is `stalled`; after the timeouts it is reopened.
    """

    address: str
    kind: FeedKind
    frames_per_second: float = 1.0
    loop: bool = True
    paced: bool = True
    credentials: Credentials | None = None
    stall_seconds: float = 10.0
    open_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 10.0
    jpeg_quality: int = 85

    def __post_init__(self) -> None:
        """Refuse rates that cannot be meant."""
        if not 0.01 <= self.frames_per_second <= 30:
            raise ValueError(f"frames_per_second is {self.frames_per_second:g}; it must be from 0.01 to 30")
        if "@" in urlsplit(self.address).netloc:
            raise ValueError("a feed's address must not hold a user or a password; give them as credentials")

    @property
    def is_live(self) -> bool:
        """It goes on whether it is read or not."""
        return self.kind in ("rtsp", "http")

    @property
    def interval_seconds(self) -> float:
        """Time between two frames that are wanted."""
        return 1.0 / self.frames_per_second


def from_address(address: str, credentials: Credentials | None = None, **options: object) -> FeedSpec:
    """The feed behind a URL (`rtsp://`, `http://`, `file://`) or a path; credentials in a URL are taken out of it."""
    clean, found = without_credentials(address)
    spec = FeedSpec(clean, kind_of(clean), credentials=credentials or found)
    return replace(spec, **options)  # type: ignore[arg-type]


def without_credentials(address: str) -> tuple[str, Credentials | None]:
    """The address as it may be stored and shown, and what was in it."""
    parts = urlsplit(address)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return address, None
    user, _, password = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=host)), Credentials(unquote(user), unquote(password))


def kind_of(address: str) -> FeedKind:
    """What kind of feed an address is; FeedError when it is none."""
    scheme = urlsplit(address).scheme.lower()
    if scheme in ("rtsp", "rtsps"):
        return "rtsp"
    if scheme in ("http", "https"):
        return "http"
    if scheme not in ("", "file"):
        raise FeedError(f"{scheme}:// cannot be read; known are rtsp, rtsps, http, https, and file or a path")
    return "folder" if local_path(address).is_dir() else "video"


def local_path(address: str) -> Path:
    """The path of a file feed."""
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(address)
