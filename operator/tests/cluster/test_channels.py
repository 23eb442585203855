"""What the management API tells of channels is put together, and what it leaves open stays open."""

from typing import Any

from imagemill_operator.channels import Channel, read_channels


def channel(name: str, unacked: int | None = 0, host: str | None = "10.0.0.1") -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "connection_details": {} if host is None else {"peer_host": host}}
    return told if unacked is None else {**told, "messages_unacknowledged": unacked}


def consumer(channel: str, queue: str = "work", host: str = "10.0.0.1") -> dict[str, Any]:
    return {"queue": {"name": queue}, "channel_details": {"name": channel, "peer_host": host}}


def test_a_channel_has_the_queues_of_all_its_consumers() -> None:
    told = read_channels([channel("a", 3), channel("b")], [consumer("a"), consumer("a", "more")])
    assert told.channels == (
        Channel("10.0.0.1", 3, frozenset({"work", "more"})),
        Channel("10.0.0.1", 0),
    )


def test_a_channel_that_has_not_told_yet_is_not_idle() -> None:
    assert read_channels([channel("a", None)], []).channels == (Channel("10.0.0.1", None),)


def test_a_consumer_whose_channel_is_not_listed_yet_holds_nobody_knows_what() -> None:
    told = read_channels([], [consumer("a", host="10.0.0.2")])
    assert told.channels == (Channel("10.0.0.2", None, frozenset({"work"})),)


def test_what_is_not_known_may_be_an_empty_list() -> None:
    """Erlang's JSON of an empty list of pairs."""
    odd = {"name": "a", "messages_unacknowledged": 1, "connection_details": []}
    told = read_channels([odd, channel("b", 2, None)], [{"queue": {"name": "work"}, "channel_details": []}])
    assert told.channels == (Channel("", 1), Channel("", 2), Channel("", None, frozenset({"work"})))
