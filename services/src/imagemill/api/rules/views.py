"""Rules and channels as the API answers them."""

from typing import Any

from pydantic import BaseModel

from imagemill.api.web.view_types import Time
from imagemill.domain.alerts import ChannelSummary, ChannelTest
from imagemill.domain.rules import Rule

Json = dict[str, Any]


class ChannelView(BaseModel):
    """A channel. `outcomes` are those that it is told of; with `callback` an upload may name it."""

    name: str
    kind: str
    outcomes: list[str]
    callback: bool


class ChannelTested(BaseModel):
    """What came of a sample."""

    channel: str
    ok: bool
    status: int | None
    answer: str
    at: Time


def rule_view(rule: Rule) -> Json:
    """Show a rule, and the revision which a change of it must name."""
    return rule.as_json() | {"revision": rule.revision}


def channel_view(channel: ChannelSummary) -> Json:
    """Show a channel; nothing of its address."""
    return ChannelView(**dict(channel)).model_dump()


def channel_test_view(test: ChannelTest) -> Json:
    """Show what came of a sample."""
    return ChannelTested(**dict(test)).model_dump()
