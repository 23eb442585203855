"""A pool's last day in memory: the last hour in fine steps, before that in coarse ones."""

import math
from array import array
from dataclasses import dataclass
from typing import Any

from imagemill_operator.policy.model import Decision, Observation, Spec

HOUR_SECONDS = 3600.0
DAY_SECONDS = 86_400.0
FINE_SECONDS = 10.0
COARSE_SECONDS = 300.0
LONGEST_GAP_SECONDS = 60.0
"""What happened in a longer one was not seen, and is not spread over it."""
UNKNOWN = -1
_WORST = ("backlog", "waiting", "goal", "broken")
_MOST = ("replicas", "ready")
_SUMS = ("arrived", "done", "seconds")


@dataclass(frozen=True, slots=True)
class Moment:
    """What is kept of one look at a pool.

    ``goal`` is the backlog with which the objective would just have been held then, NaN when nobody could tell;
    ``broken`` is whether it was not held. ``arrived`` and ``done`` are messages of the ``seconds`` before, NaN when
    nobody told.
    """

    at: float
    backlog: int
    waiting: int
    replicas: int
    ready: int
    goal: float
    broken: bool
    arrived: float = math.nan
    done: float = math.nan
    seconds: float = 0.0

    @property
    def rank(self) -> tuple[bool, int]:
        """How bad it was."""
        return self.broken, self.backlog


class Steps:
    """Moments, one for each step of time: of a step the worst backlog, the most replicas, and the sums."""

    def __init__(self, step_seconds: float, span_seconds: float) -> None:
        self._step_seconds, self._most = step_seconds, int(span_seconds // step_seconds)
        self._at = array("d")
        self._whole = {name: array("i") for name in ("backlog", "waiting", "broken", *_MOST)}
        self._real = {name: array("f") for name in ("goal", *_SUMS)}

    def add(self, moment: Moment) -> None:
        """Take a moment into the last step, or begin the next one with it."""
        if self._at and 0 <= moment.at - self._at[-1] < self._step_seconds:
            self._merge(moment)
            return
        self._at.append(moment.at)
        for name, whole in self._whole.items():
            whole.append(getattr(moment, name))
        for name, real in self._real.items():
            real.append(getattr(moment, name))
        if len(self._at) > self._most:
            self._at.pop(0)
            for whole in self._whole.values():
                whole.pop(0)
            for real in self._real.values():
                real.pop(0)

    def _merge(self, moment: Moment) -> None:
        worst = moment.rank > (bool(self._whole["broken"][-1]), self._whole["backlog"][-1])
        for name in _WORST if worst else ():
            (self._whole if name in self._whole else self._real)[name][-1] = getattr(moment, name)
        for name in _MOST:
            self._whole[name][-1] = max(self._whole[name][-1], getattr(moment, name))
        for name in _SUMS:
            self._real[name][-1] = _sum(self._real[name][-1], getattr(moment, name))

    def to_list(self, since: float) -> list[dict[str, Any]]:
        """Return the steps from that time on, oldest first; what was unknown is None."""
        return [self._told(index) for index, at in enumerate(self._at) if at >= since]

    def _told(self, index: int) -> dict[str, Any]:
        whole = {name: column[index] for name, column in self._whole.items()}
        real = {name: column[index] for name, column in self._real.items()}
        return {
            "at": round(self._at[index], 1),
            "backlog": None if whole["backlog"] == UNKNOWN else whole["backlog"],
            "waiting": None if whole["waiting"] == UNKNOWN else whole["waiting"],
            "replicas": whole["replicas"],
            "ready": whole["ready"],
            "objective_backlog": None if math.isnan(real["goal"]) else round(real["goal"], 1),
            "broken": bool(whole["broken"]),
            "arrival_rate": _rate(real["arrived"], real["seconds"]),
            "done_rate": _rate(real["done"], real["seconds"]),
        }


class History:
    """One day of a pool: some twenty kilobytes at most, so that 500 pools have one each."""

    def __init__(self) -> None:
        self._fine = Steps(FINE_SECONDS, HOUR_SECONDS)
        self._coarse = Steps(COARSE_SECONDS, DAY_SECONDS)
        self._before: Observation | None = None
        self._at = 0.0

    def add(self, observation: Observation, spec: Spec, decision: Decision) -> None:
        """Remember a look, with the objective as it was then."""
        moment = moment_of(observation, spec, decision, self._before)
        self._at = moment.at
        self._fine.add(moment)
        self._coarse.add(moment)
        if observation.backlog is not None:
            self._before = observation

    def to_list(self, span_seconds: float = HOUR_SECONDS) -> list[dict[str, Any]]:
        """Return the last so many seconds, oldest first; more than an hour in coarse steps."""
        steps = self._fine if span_seconds <= HOUR_SECONDS else self._coarse
        return steps.to_list(self._at - span_seconds)


def moment_of(observation: Observation, spec: Spec, decision: Decision, before: Observation | None) -> Moment:
    """Return what is kept of a look; ``before`` is the last one with a known backlog."""
    backlog, goal = observation.backlog, goal_of(observation, spec, decision)
    arrived, done, seconds = flow_of(observation, before)
    return Moment(
        at=observation.at_seconds,
        backlog=UNKNOWN if backlog is None else backlog.total,
        waiting=UNKNOWN if backlog is None else backlog.ready,
        replicas=observation.current_replicas,
        ready=observation.ready_replicas,
        goal=goal,
        broken=_is_broken(observation, spec, decision),
        arrived=arrived,
        done=done,
        seconds=seconds,
    )


def goal_of(observation: Observation, spec: Spec, decision: Decision) -> float:
    """Return the backlog with which the objective is just held.

    Of a wait it is what the ready workers take in that time, or those that start, in what their start leaves of it.
    """
    if spec.backlog_per_replica is not None:
        return spec.backlog_per_replica * max(observation.current_replicas, 1)
    if spec.max_wait_seconds is None or not decision.busy_seconds:
        return math.nan
    workers, seconds = observation.ready_replicas, spec.max_wait_seconds
    if not workers:
        workers, seconds = decision.desired_replicas, seconds - (decision.start_seconds or 0.0)
    return max(0.0, seconds) * workers * observation.threads_per_replica / decision.busy_seconds


def _is_broken(observation: Observation, spec: Spec, decision: Decision) -> bool:
    if observation.backlog is None:
        return False
    if spec.backlog_per_replica is not None:
        return observation.backlog.total > spec.backlog_per_replica * max(observation.current_replicas, 1)
    wait = decision.predicted_wait_seconds
    return wait is not None and spec.max_wait_seconds is not None and wait > spec.max_wait_seconds


def flow_of(observation: Observation, before: Observation | None) -> tuple[float, float, float]:
    """Return what arrived and what was done since the look before, and the seconds of it; NaN when nobody tells.

    Arrived = what was finished + what the backlog grew by.
    """
    if before is None or observation.backlog is None or before.backlog is None:
        return math.nan, math.nan, 0.0
    seconds = observation.at_seconds - before.at_seconds
    if not 0 < seconds <= LONGEST_GAP_SECONDS:
        return math.nan, math.nan, 0.0
    now, then = observation.completed_total, before.completed_total
    grown = observation.backlog.total - before.backlog.total
    if now is None or then is None or now < then:
        idle = not observation.ready_replicas and not before.ready_replicas
        return (float(grown), 0.0, seconds) if idle else (math.nan, math.nan, 0.0)
    return now - then + grown, now - then, seconds


def _sum(one: float, other: float) -> float:
    """Add what is known."""
    if math.isnan(one) or math.isnan(other):
        return other if math.isnan(one) else one
    return one + other


def _rate(count: float, seconds: float) -> float | None:
    """Return so many a second; what the broker told late may have been counted twice, and is taken back."""
    return None if math.isnan(count) or seconds <= 0 else round(max(0.0, count) / seconds, 3)
