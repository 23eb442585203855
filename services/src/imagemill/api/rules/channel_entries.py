"""Channels that are added from the page: they go into the file that the alerter reads, and are never shown again."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from imagemill.alerting.signature import LEAST_SECRET_BYTES
from imagemill.api.access.audit import Recorder
from imagemill.domain.channel_names import is_channel_name
from imagemill.domain.errors import Invalid
from imagemill.process.secret_files import SecretFile

KINDS = ("webhook", "apprise")
_MOST_CHARACTERS = 2000
_APPRISE = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


def add_channel(file: Path | None, record: Recorder, given: Mapping[str, str]) -> str:
    """Add a channel to the file; tells its name. Raises Invalid or AlreadyExists, without anything that is secret."""
    if file is None:
        raise Invalid("unwritable-file", "No file of channels is set, or it may not be written from the page.")
    name, kind = given.get("name", ""), given.get("kind", "")
    entry = entry_of(name, kind, given.get("address", ""), given.get("secret", ""))
    SecretFile(file).add(name, entry)
    record("channel.add", name, after={"kind": kind})
    return name


def entry_of(name: str, kind: str, address: str, secret: str) -> dict[str, str]:
    """Make an entry that the alerter takes: one that it does not would keep it from reading the whole file."""
    if not is_channel_name(name):
        raise Invalid("bad-value", "A channel's name is of lower-case letters, digits and '-', at most 40.", "name")
    if kind not in KINDS:
        raise Invalid("bad-value", f"A channel is one of {' and '.join(KINDS)}.", "kind")
    if not _may_be_address(kind, address):
        looks = "https://office.example/imagemill" if kind == "webhook" else "mailtos://user:password@mail.example"
        raise Invalid("bad-value", f"The address of such a channel looks like {looks}.", "address")
    if kind == "apprise":
        return {"apprise": address}
    if len(secret.encode()) < LEAST_SECRET_BYTES or len(secret) > _MOST_CHARACTERS or not secret.isprintable():
        raise Invalid("bad-value", f"A webhook needs a secret of at least {LEAST_SECRET_BYTES} letters.", "secret")
    return {"webhook": address, "secret": secret}


def _may_be_address(kind: str, address: str) -> bool:
    if len(address) > _MOST_CHARACTERS or not address.isprintable():
        return False
    try:
        parts = urlsplit(address)
        if kind == "apprise":
            return _APPRISE.fullmatch(address) is not None
        return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in address
    except ValueError:
        return False
