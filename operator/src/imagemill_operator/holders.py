"""Which pods hold messages, whatever they are written in: a pod is the address that its connection comes from. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from imagemill_operator.channels import Channel
from imagemill_operator.facts import PodFacts


@dataclass(frozen=True, slots=True)
class Held:
    """Messages by pod, for pods that are known by their address.

    ``elsewhere`` are those that consumers of the queues hold who cannot be told: behind one address with others, behind
    a proxy, or outside of the namespace.
    """

    by_pod: Mapping[str, int] = field(default_factory=dict)
    elsewhere: int = 0


def held_messages(
    pods: Collection[PodFacts],
    all_pods: Iterable[PodFacts],
    channels: Collection[Channel],
    queues: Collection[str],
) -> Held:
    """Attribute what channels hold to ``pods``; ``all_pods`` are those of the namespace.

    A pod is known once it consumes one of the queues from an address that is its alone. Everything else that it holds
    in the virtual host counts too: it is work all the same.
    """
    owners = _owners(all_pods)
    by_host: dict[str, list[Channel]] = {}
    for channel in channels:
        by_host.setdefault(canonical(channel.host), []).append(channel)
    held = {pod.name: _held(pod, owners, by_host, frozenset(queues)) for pod in pods}
    elsewhere = [one for host, part in by_host.items() if owners[host] != 1 for one in part if one.queues & {*queues}]
    return Held(
        {name: count for name, count in held.items() if count is not None},
        sum(1 if channel.unacked is None else channel.unacked for channel in elsewhere),
    )


def _owners(pods: Iterable[PodFacts]) -> Counter[str]:
    """Count the pods at each address; one of the node's own stands for all that runs there."""
    owners: Counter[str] = Counter()
    for pod in pods:
        for address in pod.addresses:
            owners[canonical(address)] += 2 if pod.on_host_network else 1
    return owners


def _held(
    pod: PodFacts, owners: Mapping[str, int], by_host: Mapping[str, Collection[Channel]], queues: frozenset[str]
) -> int | None:
    """Count a pod's messages; None when nobody can tell."""
    hosts = {canonical(address) for address in pod.addresses}
    channels = [channel for host in hosts for channel in by_host.get(host, ())]
    known = [channel.unacked for channel in channels if channel.unacked is not None]
    if any(owners[host] > 1 for host in hosts):
        return None
    if sum(known):
        return sum(known)
    is_told = len(known) == len(channels) and any(channel.queues & queues for channel in channels)
    return 0 if is_told else None


def canonical(host: str) -> str:
    """Write an address in the one way that it has, so that the broker's and Kubernetes' are the same."""
    with suppress(ValueError):
        address = ip_address(host)
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return str(mapped or address)
    return host
