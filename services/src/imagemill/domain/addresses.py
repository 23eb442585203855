"""Which network addresses a program inside the network may be sent to by what a person typed."""

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Where clouds tell a machine its own secrets, beside the link-local addresses that most of them use.
METADATA = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure
        "100.100.100.200/32", "fd00:100::100:200/128",  # Alibaba
        "192.0.0.192/32", "fd00:c1::a9fe:a9fe/128",  # Oracle
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google
        "fd00:42::42/128",  # Scaleway
        "fd00:a9fe:a9fe::1/128",  # Akamai
    )
)  # fmt: skip
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
# Private too, though `is_private` does not count them: shared by a provider's customers, and the former site-local.
_OTHER_PRIVATE = (ipaddress.ip_network("100.64.0.0/10"), ipaddress.ip_network("fec0::/10"))
_WHOLE_IPV4 = 0xFFFF_FFFF
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


@dataclass(frozen=True)
class AddressPolicy:
    """Private addresses and the own machine may be allowed; a cloud's metadata service never is."""

    private: bool = True
    loopback: bool = False

    def refusal(self, address: Address) -> str:
        """Why there may be no connection to it, as the end of a sentence; empty when there may be one."""
        judged = (_never(face) or self._unless_allowed(face) for face in faces(address))
        return next(filter(None, judged), "")

    def _unless_allowed(self, address: Address) -> str:
        if address.is_loopback:
            return "" if self.loopback else "this machine itself; the setting that allows loopback is off"
        if not self.private and (address.is_private or _is_in(address, _OTHER_PRIVATE)):
            return "a private address; the setting that allows private addresses is off"
        return ""


def faces(address: Address) -> tuple[Address, ...]:
    """The address, and every IPv4 address that is written in it: a translator on the way may connect to that one.

    A mapped or a 6to4 address is nothing but its IPv4 address.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    same = address.ipv4_mapped or address.sixtofour
    return (same,) if same else (address, *_embedded(address))


def _embedded(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """Teredo (server and client), ISATAP, and NAT64 with the local prefix (RFC 6052, prefixes of 48, 56, 64, 96)."""
    number, found = int(address), list(address.teredo or ())
    if number >> 32 & _WHOLE_IPV4 in _ISATAP:
        found.append(ipaddress.IPv4Address(number & _WHOLE_IPV4))
    if address in _LOCAL_NAT64:
        # Bits 64 to 71 are no part of it, unless the prefix has 96.
        rest = (number >> 64 << 56) | (number & (1 << 56) - 1)
        found += [ipaddress.IPv4Address(rest >> shift & _WHOLE_IPV4) for shift in (40, 32, 24)]
        found.append(ipaddress.IPv4Address(number & _WHOLE_IPV4))
    return found


def _never(address: Address) -> str:
    if address.is_link_local:
        return "a link-local address; these are never reached, a cloud's metadata service is one of them"
    if _is_in(address, METADATA):
        return "a cloud's metadata service, which is never reached"
    reserved = address.is_reserved and not address.is_loopback
    if address.is_multicast or address.is_unspecified or reserved or _is_in(address, (_THIS_NETWORK,)):
        return "a multicast, unspecified or reserved address, behind which there is nothing to reach"
    return ""


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)
