"""Where a channel may lead, whatever library sends it and whatever its name means by then."""

import socket
from collections.abc import Iterator

import pytest

from imagemill.alerter.channels import Channel, parse
from imagemill.alerter.post import SendResult, send
from imagemill.alerter.reach import AddressRefusedError, only_within
from imagemill.alerting.message import Message
from imagemill.alerting.webhook import AlertBody
from imagemill.domain.addresses import AddressPolicy
from receiver import Receiver, receiving

LAN, HERE, OUTSIDE = AddressPolicy(), AddressPolicy(loopback=True), AddressPolicy(private=False)
SECRET = "sixteen bytes or more"
METADATA = ["169.254.169.254", "[fd00:ec2::254]", "168.63.129.16", "100.100.100.200", "[::ffff:169.254.169.254]"]
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # one of Apprise's many plugins imports it


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def webhook(url: str, policy: AddressPolicy, **more: object) -> Channel:
    rest = "".join(f", {name}: {value}" for name, value in more.items())
    return parse(f"desk: {{webhook: '{url}', secret: {SECRET}{rest}}}", policy)["desk"]


def chat(url: str, policy: AddressPolicy) -> Channel:
    return parse(f"desk: {{apprise: '{url}'}}", policy)["desk"]


def told(channel: Channel) -> SendResult:
    return send(channel, AlertBody(1, b'{"number":1}'), Message("title", "text"))


@pytest.mark.parametrize("host", METADATA)
def test_a_metadata_service_is_never_told_anything(host: str) -> None:
    for channel in (
        webhook(f"http://{host}/", HERE), webhook(f"http://{host}/", HERE, allow_private="true"),
        chat(f"json://{host}/", HERE),
    ):  # fmt: skip
        result = told(channel)
        assert not result.ok
        assert result.text.startswith("not sent, as the settings do not allow the channel's address: ")
        assert "metadata service" in result.text


def test_this_machine_is_told_when_the_settings_or_the_channel_say_so(receiver: Receiver) -> None:
    assert "loopback is off" in told(webhook(receiver.url, LAN)).text
    assert "loopback is off" in told(chat(receiver.url.replace("http", "json"), LAN)).text
    assert receiver.got == []
    assert told(webhook(receiver.url, HERE)).ok
    assert told(webhook(receiver.url, OUTSIDE, allow_private="true")).ok
    assert told(chat(receiver.url.replace("http", "json"), HERE)).ok
    assert len(receiver.got) == 3


def test_a_name_is_judged_by_what_it_means(receiver: Receiver) -> None:
    by_name = receiver.url.replace("127.0.0.1", "localhost")
    assert "this machine" in told(webhook(by_name, LAN)).text
    assert told(webhook(by_name, HERE)).ok


def test_a_channel_of_several_services_is_judged_in_all_its_threads(receiver: Receiver) -> None:
    url = receiver.url.replace("http", "json")
    assert "loopback is off" in told(chat(f"{url} {url}2", LAN)).text
    assert receiver.got == []


@pytest.mark.parametrize(
    ("address", "policy", "refused"),
    [
        ("10.0.0.7", LAN, False), ("192.168.1.2", LAN, False), ("100.64.1.1", LAN, False),
        ("10.0.0.7", OUTSIDE, True), ("100.64.1.1", OUTSIDE, True), ("fd12::7", OUTSIDE, True),
        ("93.184.216.34", OUTSIDE, False), ("127.0.0.1", LAN, True), ("localhost", LAN, True),
    ],
)  # fmt: skip
def test_channels_in_the_local_network_go_on_working_unless_a_setting_closes_it(
    address: str, policy: AddressPolicy, refused: bool
) -> None:
    with only_within(policy) as reach:
        try:
            reach.check(address)
        except AddressRefusedError:
            assert reach.refusal
        assert bool(reach.refusal) is refused


def test_datagrams_are_judged_too_and_nobody_else_s_connections() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        with only_within(LAN), pytest.raises(AddressRefusedError):
            sender.sendto(b"x", ("127.0.0.1", 9))
        sender.sendto(b"x", ("127.0.0.1", 9))
