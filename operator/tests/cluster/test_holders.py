"""Which pods hold messages, by the addresses that connections come from."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cluster import bodies

from imagemill_operator.channels import Channel
from imagemill_operator.facts import PodFacts, pod_facts
from imagemill_operator.holders import Held, canonical, held_messages

WORK, OTHER = frozenset({"work"}), frozenset({"other"})


def pod(name: str, *addresses: str, on_host: bool = False) -> PodFacts:
    body = bodies.pod(name)
    body["status"]["podIP"] = addresses[0] if addresses else None
    body["status"]["podIPs"] = [{"ip": address} for address in addresses]
    return pod_facts({**body, "spec": {"hostNetwork": on_host}})


ONE, TWO = pod("one", "10.0.0.1"), pod("two", "10.0.0.2", "fd00::2")
STRANGER = pod("stranger", "10.0.0.9")


@pytest.mark.parametrize(
    ("channels", "expected", "elsewhere"),
    [
        pytest.param(
            [Channel("10.0.0.1", 2, WORK), Channel("10.0.0.2", 0, WORK)], {"one": 2, "two": 0}, 0, id="each its own"
        ),
        pytest.param(
            [Channel("10.0.0.1", 2, WORK), Channel("10.0.0.1", 3, WORK)], {"one": 5}, 0, id="several channels"
        ),
        pytest.param([Channel("fd00:0::2", 1, WORK)], {"two": 1}, 0, id="another address of it, written otherwise"),
        pytest.param([Channel("::ffff:10.0.0.1", 1, WORK)], {"one": 1}, 0, id="IPv4 by way of IPv6"),
        pytest.param([Channel("10.0.0.1", 0, OTHER)], {}, 0, id="it consumes another queue: not idle, unknown"),
        pytest.param([Channel("10.0.0.1", 0)], {}, 0, id="it consumes nothing"),
        pytest.param([Channel("10.0.0.1", 0, WORK), Channel("10.0.0.1", 2)], {"one": 2}, 0, id="fetched by basic.get"),
        pytest.param([Channel("10.0.0.1", 0, WORK), Channel("10.0.0.1", 2, OTHER)], {"one": 2}, 0, id="other work"),
        pytest.param([Channel("10.0.0.1", None, WORK)], {}, 0, id="no statistics yet"),
        pytest.param([Channel("10.0.0.1", 0, WORK), Channel("10.0.0.1", None)], {}, 0, id="one channel has not told"),
        pytest.param([Channel("10.0.0.1", 1, WORK), Channel("10.0.0.1", None)], {"one": 1}, 0, id="busy all the same"),
        pytest.param([Channel("192.0.2.7", 4, WORK)], {}, 4, id="behind a proxy"),
        pytest.param([Channel("192.0.2.7", None, WORK)], {}, 1, id="behind a proxy, and not told yet"),
        pytest.param([Channel("192.0.2.7", 4, OTHER)], {}, 0, id="somebody else's work"),
        pytest.param([Channel("10.0.0.9", 4, WORK)], {}, 0, id="a pod of another Deployment"),
        pytest.param([Channel("", 4, WORK)], {}, 4, id="an address that is not told"),
    ],
)
def test_channels_are_attributed_to_pods(channels: list[Channel], expected: Mapping[str, int], elsewhere: int) -> None:
    assert held_messages([ONE, TWO], [ONE, TWO, STRANGER], channels, ["work"]) == Held(expected, elsewhere)


def test_several_pods_behind_one_address_are_unknown() -> None:
    twins = [pod("left", "10.0.0.5"), pod("right", "10.0.0.5")]
    assert held_messages(twins, twins, [Channel("10.0.0.5", 1, WORK)], ["work"]) == Held({}, 1)
    hosted = [pod("hosted", "192.168.0.1", on_host=True)]
    assert held_messages(hosted, hosted, [Channel("192.168.0.1", 0, WORK)], ["work"]) == Held({}, 0)


def test_an_address_has_one_form() -> None:
    assert canonical("FD00::0:1") == "fd00::1"
    assert canonical("not an address") == "not an address"


CHANNELS = st.lists(
    st.builds(
        Channel,
        st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::2", "10.0.0.9", "192.0.2.7", ""]),
        st.none() | st.integers(0, 5),
        st.sampled_from([WORK, OTHER, frozenset()]),
    ),
    max_size=12,
)


@given(CHANNELS, st.data())
def test_who_holds_a_message_is_never_idle_and_more_channels_make_nobody_less_busy(
    channels: list[Channel], data: st.DataObject
) -> None:
    everybody = [ONE, TWO, STRANGER]
    held = held_messages([ONE, TWO], everybody, channels, ["work"])
    for one in (ONE, TWO):
        own = [channel for channel in channels if canonical(channel.host) in one.addresses]
        if any(channel.unacked != 0 for channel in own):
            assert held.by_pod.get(one.name) != 0
        if not any(channel.queues & WORK for channel in own):
            assert held.by_pod.get(one.name) != 0
    more = [*channels, *data.draw(CHANNELS)]
    for name, count in held_messages([ONE, TWO], everybody, more, ["work"]).by_pod.items():
        assert count >= held.by_pod.get(name, 0)


@given(CHANNELS)
def test_each_message_of_the_queues_is_held_by_somebody(channels: list[Channel]) -> None:
    everybody = [ONE, TWO, STRANGER]
    held = held_messages(everybody, everybody, channels, ["work"])
    all_of_it = sum(channel.unacked or 0 for channel in channels if channel.queues & WORK)
    assert sum(held.by_pod.values()) + held.elsewhere >= all_of_it
