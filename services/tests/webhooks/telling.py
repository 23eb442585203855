"""Channels that are told of outcomes, and what they got."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from mill import Mill, wait_for
from receiver import Receiver

SECRET = "sixteen bytes and more"


@dataclass(frozen=True)
class Channels:
    """The channels file."""

    path: Path

    def write(self, **channels: dict[str, object]) -> None:
        self.path.write_text(yaml.safe_dump(channels))


def channel(receiver: Receiver, *outcomes: str, callback: bool = False) -> dict[str, object]:
    return {"webhook": receiver.url, "secret": SECRET, "outcomes": list(outcomes), "callback": callback}


def known_to_the_api(mill: Mill, *names: str) -> None:
    """Wait until uploads may name them, which is also when standing subscriptions count."""

    def known() -> bool:
        answer = mill.get("/api/v1/channels")
        assert answer.ok, answer.text
        return {one["name"] for one in answer.json()["channels"]} >= set(names)

    wait_for(known, f"the API to know {names}")


def told(receiver: Receiver, count: int) -> list[str]:
    """The ids of the events that it got, each once, when there are that many."""
    ids: Callable[[], list[str]] = lambda: sorted(set(receiver.event_ids()))  # noqa: E731
    wait_for(lambda: len(ids()) >= count, f"{count} events")
    return ids()
