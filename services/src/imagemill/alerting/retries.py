"""When a message is tried again, and when it is given up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from imagemill.domain.alerts import AttemptResult

# Pauses after the first, second, … failed attempt: a restart of the receiver, a deployment, an outage. After the last
# one, about five hours, it is given up: an alert of yesterday helps nobody.
PAUSES_SECONDS = (5.0, 30.0, 120.0, 600.0, 3600.0, 14400.0)
# Up to this share is added, lest all messages of an outage come back at once.
JITTER = 0.25
# A receiver may ask for more time, up to this.
MOST_RETRY_AFTER_SECONDS = 3600.0
# Answers of 400 to 499 say that the request is wrong, and it will be as wrong later; these three say "not now".
RETRIED_STATUS = (408, 425, 429)


@dataclass(frozen=True)
class Attempt:
    """One attempt to tell a channel; `status` is an HTTP status, or None when there was no answer."""

    at: float
    ok: bool
    status: int | None = None
    retry_after_seconds: float | None = None


@dataclass(frozen=True)
class RetryPlan:
    """What to do about a message: `result` when it is done with, else when to try next."""

    result: AttemptResult | None
    next_at: float | None
    reason: str


def plan(attempts: Sequence[Attempt], now: float, chance: float) -> RetryPlan:
    """What the attempts so far (in order) ask for; `chance` from 0 to 1 is the jitter. Survives a restart as it is."""
    if not attempts:
        return RetryPlan(None, now, "it was not tried yet")
    last = attempts[-1]
    if last.ok:
        return RetryPlan("sent", None, "it was received")
    if last.status is not None and 400 <= last.status < 500 and last.status not in RETRIED_STATUS:
        return RetryPlan(
            "given_up", None, f"the receiver refuses it ({last.status}); trying again would not change that"
        )
    if len(attempts) > len(PAUSES_SECONDS):
        return RetryPlan("given_up", None, f"{len(attempts)} attempts failed")
    pause = pause_seconds(len(attempts), chance, last.retry_after_seconds)
    return RetryPlan(None, last.at + pause, f"attempt {len(attempts)} failed; the next one is {pause:.0f} s after it")


def pause_seconds(attempt: int, chance: float, retry_after_seconds: float | None = None) -> float:
    """Seconds after failed attempt number `attempt` (from 1)."""
    pause = PAUSES_SECONDS[min(max(attempt, 1), len(PAUSES_SECONDS)) - 1] * (1 + JITTER * chance)
    asked = min(max(retry_after_seconds or 0.0, 0.0), MOST_RETRY_AFTER_SECONDS)
    return max(pause, asked)
