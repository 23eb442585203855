"""How much a token may do: buckets of requests and of bytes, and jobs in flight; each replica counts for itself."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imagemill.api.web.problems import RETRY_AFTER_SECONDS, Problem
from imagemill.domain.access import Principal

BURST_SECONDS = 10.0
_MAX_BUCKETS = 10_000


@dataclass
class Bucket:
    """Fills at `rate` a second up to ten seconds' worth; what is larger waits until it is full, and overdraws it."""

    rate: float
    level: float
    at: float

    def take(self, amount: float, now: float) -> float:
        """Take; returns 0, or after how many seconds to come again."""
        full = self.rate * BURST_SECONDS
        self.level = min(full, self.level + (now - self.at) * self.rate)
        self.at = now
        missing = min(amount, full) - self.level
        if missing > 0:
            return missing / self.rate
        self.level -= amount
        return 0.0


@dataclass(frozen=True)
class Left:
    """A quota as the answer's headers tell it; `jobs` has no window: what ends gives it back."""

    name: str
    quota: float
    left: float
    window_seconds: float | None = BURST_SECONDS


class Rates:
    """The buckets of all tokens that have a rate. `in_flight` tells how many jobs of an owner are."""

    def __init__(
        self, in_flight: Callable[[str], int] = lambda _: 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._in_flight, self._clock = in_flight, clock
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._lock = threading.Lock()

    def take(self, principal: Principal, size_bytes: int) -> None:
        """Count a request; raises Problem 429 when it came too soon."""
        for name, rate, amount in _rates_of(principal, size_bytes):
            with self._lock:
                seconds = self._bucket(principal, name, rate).take(amount, self._clock())
            if seconds:
                detail = f"The token {principal.name!r} may do {rate:g} {name} a second; try again in {seconds:.0f} s."
                headers = {"Retry-After": str(max(1, round(seconds)))}
                raise Problem(429, "too-many-requests", detail, headers)

    def left(self, principal: Principal) -> list[Left]:
        """What remains of each quota."""
        quotas = [
            Left(name, rate * BURST_SECONDS, max(0.0, self._bucket(principal, name, rate).level))
            for name, rate, _ in _rates_of(principal, 0)
        ]
        most = principal.limits.jobs_in_flight
        if most is not None:
            quotas.append(Left("jobs", most, max(0, most - self._in_flight(principal.owner)), None))
        return quotas

    def _bucket(self, principal: Principal, name: str, rate: float) -> Bucket:
        key = (principal.owner, name)
        if key not in self._buckets:
            if len(self._buckets) >= _MAX_BUCKETS:
                self._buckets.pop(next(iter(self._buckets)), None)
            self._buckets[key] = Bucket(rate, rate * BURST_SECONDS, self._clock())
        return self._buckets[key]


def _rates_of(principal: Principal, size_bytes: int) -> list[tuple[str, float, float]]:
    limits = principal.limits
    given = (("requests", limits.requests_per_second, 1.0), ("bytes", limits.bytes_per_second, float(size_bytes)))
    return [(name, rate, amount) for name, rate, amount in given if rate is not None]


def too_many_jobs(principal: Principal, error: Exception) -> Problem:
    """The answer to whoever has as many jobs in flight as they may."""
    detail = f"The token {principal.name!r}: {error}. Nothing was accepted; try again when some have ended."
    return Problem(429, "too-many-jobs", detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def rate_limit_headers(quotas: list[Left]) -> Mapping[str, str]:
    """The RateLimit headers of draft-ietf-httpapi-ratelimit-headers."""
    if not quotas:
        return {}
    policy = ", ".join(f'"{q.name}";q={q.quota:.0f}{_seconds("w", q)}' for q in quotas)
    left = ", ".join(f'"{q.name}";r={q.left:.0f}{_seconds("t", q)}' for q in quotas)
    return {"RateLimit-Policy": policy, "RateLimit": left}


def _seconds(name: str, quota: Left) -> str:
    return "" if quota.window_seconds is None else f";{name}={quota.window_seconds:.0f}"
