"""Where a secret may be sent: patterns such as `rtsp://10.0.0.5:554`, `https://*.cams.example` or `10.1.0.0/16`."""

import ipaddress
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from imagemill.cameras.feeds.policy import DEFAULT_PORTS

# Of a pattern without a scheme. Over plain http a camera may ask for the password in clear, so http is written out.
SCHEMES_OF_BARE_HOSTS = ("rtsp", "rtsps", "https")
_EXAMPLE = "rtsp://10.0.0.5, https://*.cams.example or http://10.0.0.5:8080"
# At least one letter: `10.1.*` would take 10.1.evil.example too; networks are written 10.1.0.0/16.
_HOST = re.compile(r"[a-z0-9_*?.-]*[a-z][a-z0-9_*?.-]*")
_MOST_PORT = 65535


@dataclass(frozen=True)
class Destination:
    """One pattern. `host` is a name, perhaps with `*`, or a network; without a port it is that of the scheme."""

    schemes: tuple[str, ...]
    host: str
    port: int | None = None
    any_port: bool = False

    def takes(self, address: str) -> bool:
        """Is this URL one of those meant?"""
        parts = urlsplit(address)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").lower().rstrip(".")
        if scheme not in self.schemes or not _is_host(host, self.host):
            return False
        return self.any_port or port_of(address) == (self.port or DEFAULT_PORTS[scheme])


def parse_destination(pattern: str) -> Destination:
    """Read a pattern; raises ValueError with a sentence that shows what one looks like."""
    scheme, separator, rest = pattern.strip().lower().rpartition("://")
    host, port = _host_and_port(rest)
    if (separator and scheme not in DEFAULT_PORTS) or not _may_be_host(host) or not _may_be_port(port):
        raise ValueError(f"{pattern!r} is no address of cameras; write {_EXAMPLE}")
    schemes = (scheme,) if separator else SCHEMES_OF_BARE_HOSTS
    return Destination(schemes, host, int(port) if port and port != "*" else None, port == "*")


def port_of(address: str) -> int | None:
    """The port of a URL, written or of its scheme; None when it has none that could be."""
    parts = urlsplit(address)
    try:
        return parts.port or DEFAULT_PORTS.get(parts.scheme.lower())
    except ValueError:
        return None


def origin_of(address: str) -> str:
    """Scheme, host and port of a URL, as a pattern that takes it."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    port = port_of(address)
    written = "" if port in (None, DEFAULT_PORTS.get(parts.scheme.lower())) else f":{port}"
    return f"{parts.scheme.lower()}://{f'[{host}]' if ':' in host else host}{written}"


def _host_and_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":")
    if text.count(":") > 1:
        return text, ""
    host, _, port = text.partition(":")
    return host, port


def _may_be_port(text: str) -> bool:
    return text in ("", "*") or (text.isascii() and text.isdecimal() and 0 < int(text) <= _MOST_PORT)


def _may_be_host(host: str) -> bool:
    """A name with a letter or digit in it, or a network that is not simply everything."""
    try:
        return ipaddress.ip_network(host, strict=False).prefixlen > 0
    except ValueError:
        return _HOST.fullmatch(host) is not None


def _is_host(host: str, pattern: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return fnmatchcase(host, pattern)
