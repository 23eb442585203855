"""Seeded work loads: when messages arrive, how long each takes, and when the broker's metrics are gone.

The last ones are real: see arrivals/README.md.
"""

import csv
import gzip
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
    prefetch: int = 1
    is_single_burst: bool = False


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
    story = "300 messages of 1 s at once, idle pool"
    return Trace("step burst", story, 600, 30, 32, arrivals, (1.0,) * 300, 1.0, is_single_burst=True)


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


def longest_work() -> Trace:
    """Five minutes for each message, of which none may wait longer than a quarter of one."""
    dice = random.Random(SEED + 8)
    arrivals = poisson(lambda now: 0.02, 0.02, 14_400, dice)
    work = lognormal(len(arrivals), 300.0, 0.3, dice)
    return Trace("longest work", "one message in 50 s, five minutes each", 16_200, 15, 60, arrivals, work, 300.0)


def tiny_work() -> Trace:
    """A thousandth of the objective for each message."""
    dice = random.Random(SEED + 9)
    arrivals = poisson(lambda now: 60.0 + 40.0 * math.sin(now / 100), 100, 900, dice)
    work = lognormal(len(arrivals), 0.02, 0.5, dice)
    return Trace("tiny work", "20/s to 100/s, 20 ms each", 1200, 20, 32, arrivals, work, 0.02)


def slow_start() -> Trace:
    """Replicas of which each needs a node: two minutes until it is there."""
    dice = random.Random(SEED + 10)
    arrivals = poisson(lambda now: 2.0 if now < 1200 or now > 2400 else 6.0, 6, 3600, dice)
    work = lognormal(len(arrivals), 2.0, 0.3, dice)
    story = "2/s, 6/s for 20 min; replicas take 2 min to start"
    return Trace("slow start", story, 4500, 300, 40, arrivals, work, 2.0, start_seconds=120.0)


def fast_start() -> Trace:
    """A tight objective, and replicas that start within it."""
    dice = random.Random(SEED + 11)
    arrivals = poisson(lambda now: 4.0 if now % 120 < 90 else 12.0, 12, 1200, dice)
    work = lognormal(len(arrivals), 0.5, 0.3, dice)
    story = "4/s, 12/s for half a minute every two; replicas start within 2 s"
    return Trace("fast start", story, 1500, 8, 32, arrivals, work, 0.5, start_seconds=2.0)


def prefetch_4() -> Trace:
    """Celery's default for one process."""
    dice = random.Random(SEED + 12)
    arrivals = poisson(lambda now: 3.0 + 3.0 * math.sin(now / 200), 6, 1800, dice)
    work = lognormal(len(arrivals), 1.0, 0.5, dice)
    return Trace("prefetch 4", "0/s to 6/s of 1 s, four fetched", 2100, 20, 32, arrivals, work, 1.0, prefetch=4)


def prefetch_50() -> Trace:
    """What is fetched in hundreds, because each takes so little."""
    dice = random.Random(SEED + 13)
    arrivals = poisson(lambda now: 50.0 if now % 300 < 200 else 10.0, 50, 900, dice)
    work = lognormal(len(arrivals), 0.08, 0.5, dice)
    story = "50/s and 10/s of 80 ms, fifty fetched"
    return Trace("prefetch 50", story, 1200, 30, 32, arrivals, work, 0.08, prefetch=50)


def hoarding() -> Trace:
    """A burst of long work into consumers that fetch ten: what they hold nobody else can take."""
    arrivals = tuple(60.0 + i * 0.001 for i in range(200))
    story = "200 messages of 5 s at once, ten fetched"
    return Trace("hoarding", story, 900, 60, 32, arrivals, (5.0,) * 200, 5.0, prefetch=10, is_single_burst=True)


def awake_burst() -> Trace:
    """500 messages at once into a pool that is at work."""
    dice = random.Random(SEED + 14)
    steady = poisson(lambda now: 1.0, 1, 900, dice)
    arrivals = tuple(sorted([*steady, *(300.0 + i * 0.002 for i in range(500))]))
    work = lognormal(len(arrivals), 1.0, 0.3, dice)
    story = "500 at once into a stream of 1/s"
    return Trace("awake burst", story, 1200, 30, 64, arrivals, work, 1.0, is_single_burst=True)


def nightly_batch() -> Trace:
    """3,000 messages handed in within a minute, once."""
    arrivals = tuple(120.0 + i * 0.02 for i in range(3000))
    work = lognormal(3000, 2.0, 0.5, random.Random(SEED + 15))
    story = "3,000 messages of 2 s within a minute"
    return Trace("nightly batch", story, 1800, 120, 200, arrivals, work, 2.0, is_single_burst=True)


def sawtooth() -> Trace:
    """Rises for five minutes and falls at once, again and again."""
    dice = random.Random(SEED + 16)
    arrivals = poisson(lambda now: (now % 300) / 25, 12, 1800, dice)
    work = lognormal(len(arrivals), 1.0, 0.3, dice)
    return Trace("sawtooth", "0/s to 12/s in 5 min, again and again", 2100, 15, 32, arrivals, work, 1.0)


def steady() -> Trace:
    """Nothing ever changes."""
    dice = random.Random(SEED + 17)
    arrivals = poisson(lambda now: 10.0, 10, 1800, dice)
    work = lognormal(len(arrivals), 1.0, 0.3, dice)
    return Trace("steady", "10/s of 1 s", 2100, 20, 32, arrivals, work, 1.0)


# Of the functions of Azure in Shahrad et al., Serverless in the Wild (ATC 2020): 45 % are called once an hour or less,
# 81 % once a minute or less; mean run times are log-normal with these parameters of their logarithm.
IDLE_SHARES = ((0.45, 1 / 86_400, 1 / 3600), (0.36, 1 / 3600, 1 / 60), (0.19, 1 / 60, 1 / 10))
RUN_TIME_MU, RUN_TIME_SIGMA = -0.38, 2.36
LONGEST_RUN_SECONDS = 300.0


def idle_pools(count: int = 12) -> tuple[Trace, ...]:
    """A fleet of pools with next to nothing to do, for six hours each."""
    dice = random.Random(SEED + 18)
    return tuple(_idle_pool(number, dice) for number in range(count))


def _idle_pool(number: int, dice: random.Random) -> Trace:
    _, lowest, highest = dice.choices(IDLE_SHARES, weights=[share for share, *_ in IDLE_SHARES])[0]
    rate = math.exp(dice.uniform(math.log(lowest), math.log(highest)))
    mean = min(LONGEST_RUN_SECONDS, dice.lognormvariate(RUN_TIME_MU, RUN_TIME_SIGMA))
    arrivals = poisson(lambda _: rate, rate, 21_600, dice)
    work = lognormal(len(arrivals), mean, 0.5, dice)
    return Trace(f"idle pool {number}", "", 22_500, 30, 16, arrivals, work, mean)


ARRIVALS = Path(__file__).with_name("arrivals")
SECONDS_A_TOKEN_READ, SECONDS_A_TOKEN_MADE = 0.0002, 0.02
"""What a graphics card of 2023 takes for a token of a large language model."""


def _requests(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    rows = _rows(f"azure-llm-2023-{name}")
    work = (
        SECONDS_A_TOKEN_READ * float(row["context"]) + SECONDS_A_TOKEN_MADE * float(row["generated"]) for row in rows
    )
    return tuple(float(row["seconds"]) for row in rows), tuple(work)


def _rows(name: str) -> list[dict[str, str]]:
    with gzip.open(ARRIVALS / f"{name}.csv.gz", "rt", encoding="ascii") as lines:
        return list(csv.DictReader(lines))


def real_conversations() -> Trace:
    """Requests to a conversation service."""
    arrivals, work = _requests("conv")
    story = "an hour of a conversation service (Azure, 2023)"
    return Trace("conversations", story, 3900, 15, 100, arrivals, work, 4.5)


def real_code() -> Trace:
    """Requests to a coding service: they come in gusts."""
    arrivals, work = _requests("code")
    return Trace("code", "an hour of a coding service (Azure, 2023)", 3900, 15, 100, arrivals, work, 1.0)


def real_commits_of_couchdb() -> Trace:
    """A builder's queue: a month in a day, as each build takes minutes, and nights would only be long."""
    return _commits("couchdb", 19)


def real_commits_of_keda() -> Trace:
    """The same of another project."""
    return _commits("keda", 20)


def _commits(name: str, seed: int) -> Trace:
    arrivals = tuple(float(row["seconds"]) / 30 for row in _rows(f"{name}-commits"))
    work = lognormal(len(arrivals), 240.0, 0.4, random.Random(SEED + seed))
    story = f"a build of 4 min for each commit to {name}, a month in a day"
    return Trace(f"{name} builds", story, 88_200, 60, 32, arrivals, work, 240.0, start_seconds=20.0)


ALL: tuple[Callable[[], Trace | tuple[Trace, ...]], ...] = (
    step_burst, nightly_batch, hoarding, awake_burst, flash_crowd, daily_wave, on_off, sawtooth, steady, heavy_tail,
    slow_leak, outage, long_work, longest_work, tiny_work, fast_start, slow_start, prefetch_4, prefetch_50, idle_pools,
    real_conversations, real_code, real_commits_of_couchdb, real_commits_of_keda,
)  # fmt: skip
