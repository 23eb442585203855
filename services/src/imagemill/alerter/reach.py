"""Connections of one notification lead only where its channel may: judged when a socket is connected, not by name.

Whatever library sends it (Apprise has a hundred ways, and follows redirects), and whatever a name means by then: Python
asks an audit hook before every connection, with the address that is to be connected.
"""

import functools
import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from imagemill.domain.addresses import Address, AddressPolicy

_EVENTS = ("socket.connect", "socket.sendto", "socket.sendmsg")


class AddressRefusedError(OSError):
    """The channel may not reach this address. Libraries take it for a connection that failed."""


class Reach:
    """What one notification may reach, and the first reason why something was refused."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self.refusal = ""

    def check(self, host: str) -> None:
        """Raise AddressRefusedError unless every address of the host may be reached."""
        for address in _addresses(host):
            reason = self._policy.refusal(address)
            if reason:
                self.refusal = self.refusal or f"{address} is {reason}"
                raise AddressRefusedError(self.refusal)


_current: ContextVar[Reach | None] = ContextVar("reach", default=None)


@contextmanager
def only_within(policy: AddressPolicy) -> Iterator[Reach]:
    """Within this context connections are judged; `refusal` of what is given says if one was refused."""
    _listen()
    reach = Reach(policy)
    token = _current.set(reach)
    try:
        yield reach
    finally:
        _current.reset(token)


@functools.cache
def _listen() -> None:
    sys.addaudithook(_judge)


def _judge(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    reach, address = _current.get(), arguments[1]
    # Other kinds of sockets (a name server's, a Unix one) lead to no other machine.
    if reach is not None and isinstance(address, tuple) and address and isinstance(address[0], str):
        reach.check(address[0])


def _addresses(host: str) -> list[Address]:
    """A name that is not looked up yet would be looked up by the connection itself, where nobody sees what it means."""
    try:
        return [ipaddress.ip_address(host.partition("%")[0])]
    except ValueError:
        found = socket.getaddrinfo(host, None)
    return [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found]
