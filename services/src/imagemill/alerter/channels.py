"""The channels of the settings' file. It holds secrets: nothing of it is written anywhere but to whom it concerns."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
import yaml

from imagemill.alerting.channels import shown
from imagemill.alerting.signature import LEAST_SECRET_BYTES
from imagemill.domain.addresses import AddressPolicy
from imagemill.domain.alerts import ChannelSummary
from imagemill.domain.channel_names import is_channel_name
from imagemill.domain.deliveries import OUTCOME_EVENTS

log = structlog.get_logger(__name__)
WEBHOOK, APPRISE = "webhook", "apprise"
# An `apprise` with a secret was always taken, and the secret not used.
_SETTINGS = {
    WEBHOOK: {WEBHOOK, "secret", "allow_private", "outcomes", "callback"},
    APPRISE: {APPRISE, "pictures", "secret", "allow_private"},
}
_SWITCHES = ("pictures", "allow_private", "callback")
# Whoever writes the file may say so; a cloud's metadata service is nobody who wants to be told anything.
_PRIVATE_TOO = AddressPolicy(private=True, loopback=True)


@dataclass(frozen=True)
class Channel:
    """A way to tell somebody. Address and secret are never shown. `pictures`: attach one where the kind takes it.

    `policy` is what it may reach. A webhook is also told of the `outcomes` that it has subscribed to, and with
    `callback` of those for which an upload names it.
    """

    name: str
    kind: str
    address: str = field(repr=False)
    secret: bytes = field(default=b"", repr=False)
    pictures: bool = True
    policy: AddressPolicy = field(default_factory=AddressPolicy)
    outcomes: tuple[str, ...] = ()
    callback: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be in any text that is kept."""
        return tuple(filter(None, (self.address, self.secret.decode(errors="replace"))))

    def described(self) -> ChannelSummary:
        """Tell what may be known of it."""
        return ChannelSummary(
            name=self.name, kind=self.kind, address=shown(self.address), outcomes=list(self.outcomes),
            callback=self.callback,
        )  # fmt: skip


class ChannelsError(ValueError):
    """The file is not as it should be; the message never repeats a secret."""


class Channels:
    """The file, read again when it changes, as a mounted Secret does. A wrong one is logged; the last good stays."""

    def __init__(self, path: Path | None, policy: AddressPolicy) -> None:
        self._path, self._policy = path, policy
        self._lock = threading.Lock()
        self._known: dict[str, Channel] = {}
        self._stamp: tuple[float, int] | None = None
        self._read = path is None

    def are_known(self) -> bool:
        """Was the file read, so that what is not in it is nobody's wish?"""
        with self._lock:
            self._refresh()
            return self._read

    def all(self) -> dict[str, Channel]:
        """Channels by name."""
        with self._lock:
            self._refresh()
            return self._known

    def get(self, name: str) -> Channel | None:
        """One channel."""
        return self.all().get(name)

    def receivers(self) -> list[str]:
        """Names of those that may be told of outcomes."""
        return [name for name, channel in self.all().items() if channel.outcomes or channel.callback]

    def subscriptions(self) -> dict[str, tuple[str, ...]]:
        """The outcomes to which channels have subscribed, by name."""
        return {name: channel.outcomes for name, channel in self.all().items() if channel.outcomes}

    def secrets(self) -> list[str]:
        """What must not be in any text that is kept."""
        return [secret for channel in self.all().values() for secret in channel.secrets]

    def _refresh(self) -> None:
        if self._path is None:
            return
        try:
            found = self._path.stat()
            if self._stamp != (found.st_mtime, found.st_size):
                self._stamp = (found.st_mtime, found.st_size)
                self._known = parse(self._path.read_text("utf-8"), self._policy)
                self._read = True
                log.info("channels read", names=sorted(self._known))
        except FileNotFoundError:
            self._known, self._stamp, self._read = {}, None, False
        except (OSError, UnicodeDecodeError, ChannelsError) as error:
            log.error("channels not read; those known before stay", path=str(self._path), error=_told(error))


def parse(text: str, policy: AddressPolicy) -> dict[str, Channel]:
    """Channels of a YAML text, which may reach what the policy says; raises ChannelsError with a sentence."""
    try:
        given = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        raise ChannelsError("the channels file is not YAML") from None  # its text would be in the message
    if not isinstance(given, dict):
        raise ChannelsError("the channels file must be a map of names to channels")
    return {str(name): _channel(str(name), value, policy) for name, value in given.items()}


def _channel(name: str, given: Any, policy: AddressPolicy) -> Channel:
    if not is_channel_name(name):
        raise ChannelsError(f"the channel {name!r} needs a name of lower-case letters, digits and '-'")
    kinds = [kind for kind in (WEBHOOK, APPRISE) if given.get(kind)] if isinstance(given, Mapping) else []
    if not kinds:
        raise ChannelsError(f"the channel {name!r} has either `webhook` and `secret`, or `apprise`")
    if len(kinds) > 1:
        raise ChannelsError(f"the channel {name!r} needs exactly one of `webhook` and `apprise`")
    kind = kinds[0]
    _refuse_others(name, kind, given)
    secret = str(given.get("secret", "")).encode()
    if kind == WEBHOOK and len(secret) < LEAST_SECRET_BYTES:
        raise ChannelsError(f"the secret of the channel {name!r} needs at least {LEAST_SECRET_BYTES} bytes")
    own_policy = _PRIVATE_TOO if given.get("allow_private") else policy
    return Channel(
        name, kind, str(given[kind]), secret, given.get("pictures", True), own_policy,
        _outcomes(name, given.get("outcomes")), given.get("callback", False),
    )  # fmt: skip


def _outcomes(name: str, given: Any) -> tuple[str, ...]:
    wanted = [] if given is None else given
    if not isinstance(wanted, list) or any(one not in OUTCOME_EVENTS for one in wanted):
        known = ", ".join(OUTCOME_EVENTS)
        raise ChannelsError(f"`outcomes` of the channel {name!r} must be a list of some of these: {known}")
    return tuple(wanted)


def _refuse_others(name: str, kind: str, given: Mapping[str, Any]) -> None:
    """A setting that is misspelt, or of the other kind, would do nothing and nobody would know."""
    if given.keys() - _SETTINGS[kind]:
        known = ", ".join(f"`{key}`" for key in sorted(_SETTINGS[kind]))
        raise ChannelsError(f"the channel {name!r} has a setting that is not known; it may have {known}")
    for switch in _SWITCHES:
        if not isinstance(given.get(switch, True), bool):
            raise ChannelsError(f"`{switch}` of the channel {name!r} must be true or false")


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, ChannelsError) else type(error).__name__
