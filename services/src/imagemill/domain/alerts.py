"""What the alerter keeps: each document is written once and never changed, so that nothing can conflict.

What was sent, acknowledged or suppressed is a document of its own beside the alert; state is read from all of them.
Secrets are in none: channels are named by their names.
"""

from typing import Literal

from pydantic import Field

from imagemill.domain.record import Record


class ChannelSummary(Record):
    """What may be known of a channel; only the alerter knows its address.

    `outcomes` are those that it has subscribed to; with `callback` an upload may name it.
    """

    name: str
    kind: str
    address: str = ""
    outcomes: list[str] = Field(default_factory=list)
    callback: bool = False


class ChannelTest(Record):
    """What came of a sample that was sent over a channel."""

    type: Literal["test"] = "test"
    channel: str
    at: float
    ok: bool
    status: int | None = None
    answer: str
