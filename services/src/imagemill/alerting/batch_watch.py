"""When a batch is complete. Pure.

A batch has no end of its own: pictures may be added at any time. It is complete when all that was accepted has its
outcome and nothing of it has happened for a while. Which completion it is, the number of accepted pictures tells: it
only ever grows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from imagemill.domain.images import Counts


@dataclass(frozen=True)
class BatchWatch:
    """A batch of which somebody wants to know when it is complete.

    `month` is where it is kept. `ended_at`: the time (RFC 3339) of its newest outcome; `seen_at`: when we saw one last,
    on our own clock. `told`: the number of accepted pictures with which it was last told to be complete, 0 for never.
    """

    batch: str
    month: str
    receivers: tuple[str, ...]
    ended_at: str
    seen_at: float
    told: int = 0

    def merged(self, receivers: Iterable[str], ended_at: str, seen_at: float) -> "BatchWatch":
        """The same after one more outcome."""
        return replace(
            self, receivers=tuple(sorted({*self.receivers, *receivers})), ended_at=max(self.ended_at, ended_at),
            seen_at=max(self.seen_at, seen_at),
        )  # fmt: skip


@dataclass(frozen=True)
class BatchStep:
    """What to do about a watched batch, and when to look at it again."""

    do: Literal["wait", "tell", "forget"]
    again_at: float = 0.0


def next_step(watch: BatchWatch, counts: Counts | None, now: float, quiet_seconds: float) -> BatchStep:
    """What the counts of now ask for; None while they were not read.

    What was told is looked at once more before it is forgotten: a list of a CouchDB cluster comes from one node, which
    may not have seen the last pictures yet.
    """
    quiet_at = watch.seen_at + quiet_seconds
    if now < quiet_at:
        return BatchStep("wait", quiet_at)
    if counts is None or not counts.accepted or counts.in_flight > 0:
        return BatchStep("wait", now + quiet_seconds)
    if counts.accepted == watch.told:
        return BatchStep("forget")
    return BatchStep("tell", now + quiet_seconds)
