"""No address of a cloud's metadata service is ever reached, in whatever form it is written."""

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.domain.addresses import METADATA, Address, AddressPolicy

EVERYTHING, PUBLIC_ONLY = AddressPolicy(private=True, loopback=True), AddressPolicy(private=False)
LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
NEVER = (*METADATA, *LINK_LOCAL)
CLOSED = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"),
    )
)


def six(number: int) -> ipaddress.IPv6Address:
    return ipaddress.IPv6Address(number)


def prefixed(prefix: str, shift: int = 0) -> Callable[[int], ipaddress.IPv6Address]:
    return lambda number: six(int(ipaddress.IPv6Address(prefix)) | number << shift)


def nat64(number: int, bits: int) -> ipaddress.IPv6Address:
    """RFC 6052: behind a prefix of 48, 56 or 64 bits, around the octet of bits 64 to 71."""
    behind = number << (120 - bits - 32)
    return six(int(ipaddress.IPv6Address("64:ff9b:1::")) | (behind >> 56) << 64 | behind & (1 << 56) - 1)


FORMS: dict[str, Callable[[int], Address]] = {
    "plain": ipaddress.IPv4Address,
    "mapped": prefixed("::ffff:0:0"),
    "translated": prefixed("::ffff:0:0:0"),
    "compatible": prefixed("::"),
    "6to4": prefixed("2002::", 80),
    "teredo server": prefixed("2001::", 64),
    "teredo client": lambda number: six(0x2001_0000 << 96 | number ^ 0xFFFF_FFFF),
    "isatap": prefixed("2001:db8::5efe:0:0"),
    "isatap global": prefixed("2001:4860::200:5efe:0:0"),
    "nat64": prefixed("64:ff9b::"),
    "nat64 local 96": prefixed("64:ff9b:1:2:3::"),
    "nat64 local 64": lambda number: nat64(number, 64),
    "nat64 local 56": lambda number: nat64(number, 56),
    "nat64 local 48": lambda number: nat64(number, 48),
}


def inside(networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> st.SearchStrategy[Address]:
    return st.sampled_from(networks).flatmap(
        lambda network: st.integers(int(network[0]), int(network[-1])).map(type(network[0]))
    )


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "169.254.170.2", "fe80::a9fe:a9fe", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
        "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:c1::a9fe:a9fe", "fd00:42::42", "::ffff:168.63.129.16",
    ],
)  # fmt: skip
def test_a_metadata_service_is_never_reached(address: str) -> None:
    assert "metadata service" in EVERYTHING.refusal(ipaddress.ip_address(address))


@given(inside(NEVER), st.sampled_from(sorted(FORMS)))
def test_nor_in_any_form_in_which_its_address_can_be_written(address: Address, form: str) -> None:
    written = FORMS[form](int(address)) if address.version == 4 else address
    assert EVERYTHING.refusal(written), written


@given(inside(CLOSED), st.sampled_from(sorted(FORMS)))
def test_without_private_addresses_none_is_reached_in_any_form(address: Address, form: str) -> None:
    written = FORMS[form](int(address)) if address.version == 4 else address
    assert PUBLIC_ONLY.refusal(written), written


@given(st.ip_addresses())
def test_what_is_reached_without_private_addresses_is_global(address: Address) -> None:
    assert PUBLIC_ONLY.refusal(address) or (address.is_global and not address.is_multicast)


@given(st.ip_addresses())
def test_allowing_less_never_opens_anything(address: Address) -> None:
    assert PUBLIC_ONLY.refusal(address) or not AddressPolicy().refusal(address)
    assert AddressPolicy().refusal(address) or not EVERYTHING.refusal(address)


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.20", "100.64.0.9", "fd12:3456::7", "93.184.216.34"])
def test_cameras_on_usual_addresses_are_reached(address: str) -> None:
    assert not AddressPolicy().refusal(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.9.9.9"])
def test_this_machine_is_a_setting(address: str) -> None:
    assert "this machine" in AddressPolicy().refusal(ipaddress.ip_address(address))
    assert not EVERYTHING.refusal(ipaddress.ip_address(address))
