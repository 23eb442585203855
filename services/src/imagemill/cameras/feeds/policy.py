"""Which addresses may be read. A camera's address is typed by a person and opened by a server inside the network."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from imagemill.cameras.feeds.spec import FeedError, FeedSpec, local_path
from imagemill.domain.addresses import Address, AddressPolicy, faces
from imagemill.domain.redact import redact

Resolve = Callable[[str, int], Sequence[str]]

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


class FeedRefusedError(FeedError):
    """The settings do not allow this address."""


@dataclass(frozen=True)
class FeedPolicy:
    """What the settings allow.

    `hosts` are names (`*.cams.example` for all below) and networks (`10.1.0.0/16`); empty means every host. Cameras
    mostly have private addresses, so these are allowed unless `private_addresses` is off. Loopback is off unless
    asked for; metadata services of clouds, multicast and reserved addresses are never allowed.
    """

    schemes: tuple[str, ...] = ("rtsp", "rtsps", "http", "https", "file")
    hosts: tuple[str, ...] = ()
    private_addresses: bool = True
    loopback: bool = False
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Target:
    """Where to connect: the address that was checked, so that a second look-up cannot lead elsewhere."""

    scheme: str
    host: str
    port: int
    address: str
    resource: str

    @property
    def origin(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def pinned_origin(self) -> str:
        """`address:port`, for a URL."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """Every address of a host; the system's resolver has its own time limit."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise FeedError(f"the host {host} is not known to the name service: {error.strerror}") from None
    return [str(info[4][0]) for info in found]


def check_url(url: str, policy: FeedPolicy, resolve: Resolve = resolve_by_system) -> Target:
    """Where to connect for a URL, or FeedRefusedError with the reason."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower().rstrip(".")
    _check_scheme(scheme, policy)
    if not host:
        raise FeedRefusedError(f"{redact(url)} names no host")
    port = _port(url, scheme)
    addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in resolve(host, port)]
    if not addresses:
        raise FeedError(f"the host {host} has no address")
    for address in addresses:
        _check_address(host, address, policy)
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, port, str(faces(addresses[0])[0]), resource)


def check_path(spec: FeedSpec, policy: FeedPolicy) -> Path:
    """The real path of a file feed, which must lie in an allowed folder, or FeedRefusedError."""
    _check_scheme("file", policy)
    path = local_path(spec.address)
    real = path.resolve()
    if not any(real.is_relative_to(folder.resolve()) for folder in policy.folders):
        allowed = ", ".join(str(folder) for folder in policy.folders) or "none"
        raise FeedRefusedError(f"{path} is not in a folder that may be read; allowed folders: {allowed}")
    if not real.exists():
        raise FeedError(f"{path} does not exist")
    return real


def _check_scheme(scheme: str, policy: FeedPolicy) -> None:
    if scheme not in policy.schemes:
        raise FeedRefusedError(f"{scheme or 'no'}:// is not allowed here; allowed are {', '.join(policy.schemes)}")


def _port(url: str, scheme: str) -> int:
    try:
        return urlsplit(url).port or DEFAULT_PORTS[scheme]
    except ValueError:
        raise FeedRefusedError(f"{redact(url)} has a port that is no number from 0 to 65535") from None


def _check_address(host: str, address: Address, policy: FeedPolicy) -> None:
    plain = faces(address)[0]
    if policy.hosts and not any(_is_named(host, plain, pattern) for pattern in policy.hosts):
        raise FeedRefusedError(f"{host} is not among the hosts that may be read: {', '.join(policy.hosts)}")
    reason = AddressPolicy(policy.private_addresses, policy.loopback).refusal(address)
    if reason:
        raise FeedRefusedError(f"{host} is {plain}, {reason}")


def _is_named(host: str, address: Address, pattern: str) -> bool:
    try:
        return address in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return fnmatchcase(host, pattern.lower())
