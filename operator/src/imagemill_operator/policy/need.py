"""How many replicas the objective asks for, before any limit."""

import math
from dataclasses import dataclass, replace

from imagemill_operator.policy.model import Backlog, Memory, Observation, Spec, Term

ARRIVAL_RATE = "arrival_rate"
"""Name of the term of a steady stream."""
DRAIN = "backlog"
"""Name of the term of a backlog that is to be done in time."""
AIM_SHARE = 0.75
"""The backlog is to be done within this share of the objective; the rest is room for what cannot be foreseen."""
ASSUMED_BUSY_SECONDS = 1.0
"""Seconds per image until the first was measured, if nobody says what is to be expected."""
FEW_IMAGES = 5.0
"""Until so many are done their mean is little more than a guess."""
ASSUMED_START_SECONDS = 5.0
"""Seconds a replica takes to start until the first was measured."""
LONGEST_WORK = 3.0
"""Nineteen of twenty messages take less than so many times the mean, when work is distributed exponentially."""
SHORTEST_AIM_SHARE = 0.25
"""When starting alone uses up the aim, the backlog is still to be done within this share of it."""

ROUNDING = 1e-6
"""The small slack that keeps 3.0000001 from being 4."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """What is assumed of the work: measured where possible. ``is_measured`` is about the seconds of work."""

    arrival_rate: float
    busy_seconds: float
    is_measured: bool
    start_seconds: float
    delay_seconds: float
    threads: float

    @property
    def replica_rate(self) -> float:
        """Messages a second that one replica finishes."""
        return self.threads / self.busy_seconds


def estimate(observation: Observation, memory: Memory, spec: Spec) -> Estimates:
    """Take what was measured, else what is expected or assumed."""
    start = observation.pod_start_seconds
    start = memory.start_seconds if start is None else start
    return Estimates(
        arrival_rate=memory.arrival_rate or 0.0,
        busy_seconds=max(_busy_seconds(observation, memory, spec), 1e-4),
        is_measured=memory.busy_images >= FEW_IMAGES,
        start_seconds=ASSUMED_START_SECONDS if start is None else start,
        delay_seconds=observation.delay_seconds,
        threads=max(observation.threads_per_replica, 1e-3),
    )


def _busy_seconds(observation: Observation, memory: Memory, spec: Spec) -> float:
    """Seconds per image.

    While few are done, those still in work say that it is at least as long as they have been on average. What was
    measured of the few fills up what is expected: the shortest are done first.
    """
    measured = memory.busy_seconds_per_image
    if measured is not None and memory.busy_images >= FEW_IMAGES:
        return measured
    known = measured or ASSUMED_BUSY_SECONDS
    if spec.expected_seconds is not None:
        known = (memory.busy_seconds + (FEW_IMAGES - memory.busy_images) * spec.expected_seconds) / FEW_IMAGES
    return max(known, memory.in_work_seconds / max(1.0, memory.busy_images + in_work(observation)))


def in_work(observation: Observation) -> float:
    """Count the messages in work: no more than the ready replicas have threads, the others are only fetched."""
    slots = observation.ready_replicas * observation.threads_per_replica
    return 0.0 if observation.backlog is None else min(float(observation.backlog.unacked), slots)


def terms_of(backlog: Backlog, observation: Observation, spec: Spec, known: Estimates) -> tuple[Term, ...]:
    """List what asks for replicas; the largest term is the need."""
    terms: list[Term] = []
    if spec.backlog_per_replica is not None:
        terms.append(_share_term(backlog, spec.backlog_per_replica))
    if spec.max_wait_seconds is not None:
        terms.append(_rate_term(backlog, known))
        terms.append(_drain_term(backlog, observation, spec.max_wait_seconds, known))
    return tuple(_useful(term, backlog, observation, known) for term in terms)


def demand(backlog: Backlog, replicas: int, threads: float) -> float:
    """Count the messages that replicas are at work on or could take.

    Of those in work no more than there are threads: a consumer with a prefetch holds others, which nobody else can
    take.
    """
    return backlog.ready + min(float(backlog.unacked), replicas * threads)


def _useful(term: Term, backlog: Backlog, observation: Observation, known: Estimates) -> Term:
    """Ask for no more replicas than could have a message, and for none more while none waits.

    A stream is not bound by the messages that happen to be there now. A share that a person wrote may spread them over
    more replicas than their threads would need.
    """
    current = observation.current_replicas
    messages = demand(backlog, current, known.threads)
    bounds = {ARRIVAL_RATE: math.inf, DRAIN: float(math.ceil(messages / known.threads - ROUNDING))}
    most = bounds.get(term.name, messages)
    return replace(term, replicas=min(term.replicas, most if backlog.ready else min(most, float(current))))


def _share_term(backlog: Backlog, per_replica: float) -> Term:
    text = f"{backlog.total} not done ÷ {per_replica:g} each"
    return Term("backlog_share", backlog.total / per_replica, text)


def _rate_term(backlog: Backlog, known: Estimates) -> Term:
    """λ·S, the replicas a steady stream keeps busy: what waits for a moment is worked off by the other term.

    A trickle that leaves nothing waiting needs none of its own.
    """
    replicas = known.arrival_rate / known.replica_rate
    if backlog.total == 0 and replicas < 1:
        replicas = 0.0
    text = f"{known.arrival_rate:,.2f} arrive a second × {known.busy_seconds:.3g} s ÷ {_threads(known)}"
    return Term(ARRIVAL_RATE, replicas, text)


def _threads(known: Estimates) -> str:
    return "1 thread" if known.threads == 1 else f"{known.threads:.3g} threads"


def _drain_term(backlog: Backlog, observation: Observation, max_wait_seconds: float, known: Estimates) -> Term:
    """B·S/(¾T − t_observe − t_start): replicas that finish the backlog within three quarters of the objective.

    Those which are ready already work through the starting time of the others: they have ¾T − t_observe. While some
    wait, consumers hold all that they fetch, and what comes next waits behind all of it.
    """
    ready_replicas = observation.ready_replicas
    messages = backlog.total if backlog.ready else demand(backlog, observation.current_replicas, known.threads)
    aim = max_wait_seconds * AIM_SHARE
    shortest = aim * SHORTEST_AIM_SHARE
    now = max(aim - known.delay_seconds, shortest)
    later = max(now - known.start_seconds, shortest)
    work_seconds = messages / known.replica_rate
    here = work_seconds / now
    work = f"{messages:.0f} not done × {known.busy_seconds:.3g} s"
    if here <= ready_replicas:
        return Term(DRAIN, here, f"{work} in {now:.3g} s")
    more = (work_seconds - ready_replicas * now) / later
    text = f"{work}: {ready_replicas} ready have {now:.3g} s, those to start {later:.3g} s"
    return Term(DRAIN, ready_replicas + more, text)


def needed_replicas(terms: tuple[Term, ...]) -> int:
    """Round the largest term up."""
    return max(0, math.ceil(max((term.replicas for term in terms), default=0.0) - ROUNDING))


def lasting_replicas(terms: tuple[Term, ...]) -> int:
    """Return the replicas worth keeping for a cool-down: all but those of a backlog that is drained."""
    return needed_replicas(tuple(term for term in terms if term.name != DRAIN))


def passing_replicas(terms: tuple[Term, ...]) -> int:
    """Return the replicas that are needed only until the backlog is drained."""
    return needed_replicas(tuple(term for term in terms if term.name == DRAIN))
