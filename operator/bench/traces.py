"""Seeded work loads: when messages arrive, how long each takes, and when the broker's metrics are gone."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

SEED = 20_26


@dataclass(frozen=True, slots=True)
class Trace:
    """One work load. ``work_seconds[i]`` belongs to the message that arrives at ``arrivals[i]``.

    ``typical_seconds`` is the mean of the work at the beginning: what a person would know when writing a threshold.
    """

    name: str
    story: str
    duration_seconds: float
    objective_seconds: float
    max_replicas: int
    arrivals: tuple[float, ...]
    work_seconds: tuple[float, ...]
    typical_seconds: float
    start_seconds: float = 4.0
    outages: tuple[tuple[float, float], ...] = ()


def poisson(rate: Callable[[float], float], highest: float, until: float, dice: random.Random) -> tuple[float, ...]:
    """Arrivals of a Poisson stream whose rate changes in time (Lewis and Shedler's thinning)."""
    times: list[float] = []
    now = dice.expovariate(highest)
    while now < until:
        if dice.random() * highest < rate(now):
            times.append(now)
        now += dice.expovariate(highest)
    return tuple(times)


def lognormal(count: int, mean: float, sigma: float, dice: random.Random) -> tuple[float, ...]:
    """Times with the given mean; ``sigma`` 0.3 is even work, 1.5 has a heavy tail."""
    mu = math.log(mean) - sigma * sigma / 2
    return tuple(dice.lognormvariate(mu, sigma) for _ in range(count))


def step_burst() -> Trace:
    """300 messages at once into an idle pool."""
    arrivals = tuple(60.0 + i * 0.001 for i in range(300))
    return Trace("step burst", "300 messages of 1 s at once, idle pool", 600, 30, 32, arrivals, (1.0,) * 300, 1.0)


def flash_crowd() -> Trace:
    """A quiet stream that is ten times as strong for some minutes."""
    dice = random.Random(SEED + 1)

    def rate(now: float) -> float:
        if now < 300:
            return 2.0
        return 2.0 + 18.0 * min(1.0, (now - 300) / 20) if now < 600 else 2.0 + 18.0 * math.exp(-(now - 600) / 60)

    arrivals = poisson(rate, 20, 1200, dice)
    work = lognormal(len(arrivals), 1.0, 0.3, dice)
    return Trace("flash crowd", "2/s, then 20/s within 20 s for 5 min", 1500, 20, 64, arrivals, work, 1.0)


def daily_wave() -> Trace:
    """A day in one hour."""
    dice = random.Random(SEED + 2)
    arrivals = poisson(lambda now: 8 - 7 * math.cos(now * 2 * math.pi / 3600), 15, 3600, dice)
    work = lognormal(len(arrivals), 0.8, 0.3, dice)
    return Trace("daily wave", "1/s to 15/s and back in an hour", 3900, 10, 32, arrivals, work, 0.8)


def on_off() -> Trace:
    """Batches with pauses: what makes a nervous scaler flap."""
    dice = random.Random(SEED + 3)
    arrivals = poisson(lambda now: 8.0 if now % 180 < 60 else 0.0, 8, 1800, dice)
    work = lognormal(len(arrivals), 1.0, 0.3, dice)
    return Trace("on/off", "8/s for 1 min, nothing for 2 min", 2200, 20, 32, arrivals, work, 1.0)


def heavy_tail() -> Trace:
    """Few pictures take most of the time."""
    dice = random.Random(SEED + 4)
    arrivals = poisson(lambda now: 6.0, 6, 1500, dice)
    work = tuple(min(seconds, 120.0) for seconds in lognormal(len(arrivals), 1.0, 1.6, dice))
    return Trace("heavy tail", "6/s, work log-normal with sigma 1.6 (up to 2 min)", 1900, 20, 48, arrivals, work, 1.0)


def slow_leak() -> Trace:
    """Workers that get slower and slower, from half a second to two and a half."""
    dice = random.Random(SEED + 5)
    arrivals = poisson(lambda now: 5.0, 5, 2400, dice)
    even = lognormal(len(arrivals), 1.0, 0.3, dice)
    work = tuple(factor * (0.5 + 2.0 * at / 2400) for factor, at in zip(even, arrivals, strict=True))
    return Trace("slow leak", "5/s, work grows from 0.5 s to 2.5 s", 2800, 15, 32, arrivals, work, 0.5)


def outage() -> Trace:
    """The broker's metrics are gone for two minutes while more comes in."""
    dice = random.Random(SEED + 6)
    arrivals = poisson(lambda now: 8.0 if now < 360 else 10.0, 10, 1200, dice)
    work = lognormal(len(arrivals), 1.0, 0.3, dice)
    story = "8/s, then 10/s in the middle of two minutes without metrics"
    return Trace("metrics outage", story, 1600, 20, 32, arrivals, work, 1.0, outages=((300.0, 420.0),))


def long_work() -> Trace:
    """Work that takes longer than a message may wait: only a free replica helps, and never more than messages."""
    dice = random.Random(SEED + 7)
    arrivals = poisson(lambda now: 0.2, 0.2, 3600, dice)
    work = lognormal(len(arrivals), 60.0, 0.3, dice)
    return Trace("long work", "one message in 5 s, a minute of work each", 4200, 30, 200, arrivals, work, 60.0)


ALL = (step_burst, flash_crowd, daily_wave, on_off, heavy_tail, slow_leak, outage, long_work)
