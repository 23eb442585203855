"""What the policy reads and what it answers: plain values with their units in the names."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """Whether a decision is carried out or only told."""

    ACTIVE = "Active"
    ADVISE = "Advise"


class Limit(StrEnum):
    """What decided the number of replicas in the end."""

    NEED = "need"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    COOLDOWN = "cooldown"
    STEP = "step"
    BUSY = "busy"
    ACTIVATION = "activation"
    SINGLE = "single"
    LEARNING = "learning"
    BLOCKED = "blocked"
    BUDGET = "budget"
    UNKNOWN = "unknown"
    FALLBACK = "fallback"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Fallback:
    """How many replicas to hold at least when the backlog has been unknown for a while."""

    replicas: int
    after_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Budget:
    """A number of replicas that several pools share by weight."""

    name: str
    max_replicas: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """A minimum from one time until another: cron expressions in a time zone."""

    start: str
    end: str
    timezone: str
    min_replicas: int


@dataclass(frozen=True, slots=True)
class Spec:
    """What a person asked of a pool. Exactly one of the two objectives is set.

    ``cooldown_seconds`` None is chosen by what is known of the work.
    ``expected_seconds`` is the work of a message as far as a person knows it; it counts until some were measured.
    ``schedule_in_force`` is the one of ``schedules`` that has raised ``min_replicas`` (see ``scheduled``).
    ``paused_in`` and ``paused_out`` keep replicas from being taken away or added.

    >>> Spec(max_replicas=8, max_wait_seconds=10.0).objective_text
    'objective 10 s'
    """

    max_replicas: int
    min_replicas: int = 0
    max_wait_seconds: float | None = None
    backlog_per_replica: float | None = None
    expected_seconds: float | None = None
    activation_backlog: int = 1
    cooldown_seconds: float | None = None
    scale_in_percent: float = 50.0
    fallback: Fallback | None = None
    budget: Budget | None = None
    mode: Mode = Mode.ACTIVE
    paused: bool = False
    paused_in: bool = False
    paused_out: bool = False
    schedules: tuple[Schedule, ...] = ()
    schedule_in_force: Schedule | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if (self.max_wait_seconds is None) == (self.backlog_per_replica is None):
            raise ValueError(
                "a pool needs exactly one objective, but max_wait_seconds is "
                f"{self.max_wait_seconds} and backlog_per_replica is {self.backlog_per_replica}: set one of them"
            )
        if not 0 <= self.min_replicas <= self.max_replicas:
            raise ValueError(
                f"min_replicas is {self.min_replicas} and max_replicas is {self.max_replicas}: "
                "the minimum must be at least 0 and at most the maximum"
            )
        if (self.max_wait_seconds or self.backlog_per_replica or 0) <= 0:
            raise ValueError("the objective must be greater than 0")
        if self.expected_seconds is not None and self.expected_seconds <= 0:
            raise ValueError(f"expected_seconds is {self.expected_seconds:g}: it must be greater than 0")

    @property
    def acts(self) -> bool:
        """Whether decisions are carried out, and not only told."""
        return self.mode is Mode.ACTIVE and not self.paused

    @property
    def minimum_text(self) -> str:
        """The minimum in words, with the schedule that it is from."""
        schedule = self.schedule_in_force
        until = f" by schedule, until {schedule.end} ({schedule.timezone})" if schedule else ""
        return f"{self.min_replicas} is the minimum{until}"

    @property
    def objective_text(self) -> str:
        """The objective in words."""
        if self.max_wait_seconds is not None:
            return f"objective {self.max_wait_seconds:g} s"
        return f"objective {self.backlog_per_replica:g} each"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that wait (``ready``) and messages in work (``unacked``)."""

    ready: int
    unacked: int = 0

    @property
    def total(self) -> int:
        """Everything that is not done."""
        return self.ready + self.unacked


@dataclass(frozen=True, slots=True)
class Observation:
    """What is seen of one pool at one moment.

    ``backlog`` is None when the broker did not answer: unknown is not empty. ``current_replicas`` is the number the
    target is set to now, ``ready_replicas`` the number that can work now; the difference is capacity to come.

    ``completed_total`` and ``busy_seconds_total`` are counters that only grow while the observer lives
    (``CounterSum`` adds them up over workers that come and go): images finished, and seconds worked on them.
    Either may be None when nobody tells; ``busy_replicas`` too. ``pod_start_seconds`` is how long the present
    replicas took from being asked for to being ready. ``delay_seconds`` is how old the backlog may be.
    ``holding_replicas`` are those that have to stay so that none goes that works: one that works but is not ready would
    go before idle ones.
    ``existing_replicas`` are all there are, those that are on their way out included.
    ``useful_replicas`` are those that can have work at all, when the queues serve one consumer at a time.
    ``consumers`` are those the queues have, None when nobody tells.
    ``untold`` names what the broker did not tell: with a ``backlog`` that is then only a part and a lower bound.
    ``grace_seconds`` is how long a replica that is told to stop may go on with its work.
    ``blocked`` says, in words, why more replicas would not help (crash-looping, unschedulable); ``trouble`` which
    replicas do not start although others do.
    """

    at_seconds: float
    backlog: Backlog | None
    current_replicas: int
    ready_replicas: int
    busy_replicas: int | None = None
    threads_per_replica: float = 1.0
    completed_total: float | None = None
    busy_seconds_total: float | None = None
    pod_start_seconds: float | None = None
    delay_seconds: float = 2.0
    holding_replicas: int | None = None
    existing_replicas: int | None = None
    useful_replicas: int | None = None
    consumers: int | None = None
    untold: str | None = None
    grace_seconds: float | None = None
    blocked: str | None = None
    trouble: str | None = None

    @property
    def all_told(self) -> bool:
        """Whether the whole backlog is known."""
        return self.backlog is not None and self.untold is None


Peaks = tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """What one decision hands to the next: small, and survives as JSON (``to_dict``, ``from_dict``).

    The accumulators forget: what they hold is about the last minute before ``arrivals_at_seconds``.
    ``in_work_seconds`` is all the time that messages were in work, done or not, until some were done.
    ``peaks`` are (at_seconds, replicas needed) of the cool-down window, falling in replicas, so it stays short;
    ``drain_peaks`` the same of what only a backlog needed.
    """

    at_seconds: float | None = None
    backlog: Backlog | None = None
    completed_total: float | None = None
    busy_seconds_total: float | None = None
    arrivals: float = 0.0
    arrivals_seconds: float = 0.0
    arrivals_slow: float = 0.0
    arrivals_slow_seconds: float = 0.0
    arrivals_at_seconds: float | None = None
    busy_seconds: float = 0.0
    busy_images: float = 0.0
    in_work_seconds: float = 0.0
    start_seconds: float | None = None
    unknown_since_seconds: float | None = None
    stepped_at_seconds: float | None = None
    at_maximum_seconds: float | None = None
    peaks: Peaks = ()
    drain_peaks: Peaks = ()

    @property
    def arrival_rate(self) -> float | None:
        """Messages a second, None until it was seen for a while."""
        if self.arrivals_seconds <= 0:
            return None
        fast = self.arrivals / self.arrivals_seconds
        slow = self.arrivals_slow / self.arrivals_slow_seconds
        return max(0.0, min(fast, slow))

    @property
    def busy_seconds_per_image(self) -> float | None:
        """Seconds of one thread's work an image takes, None until one was finished."""
        return self.busy_seconds / self.busy_images if self.busy_images > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        peaks = {name: [list(peak) for peak in getattr(self, name)] for name in ("peaks", "drain_peaks")}
        return asdict(self) | peaks

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Memory":
        """Read back what ``to_dict`` gave; keys of another version are passed over."""
        known = {name: values[name] for name in cls.__slots__ if name in values}
        if known.get("backlog") is not None:
            known["backlog"] = Backlog(**known["backlog"])
        for name in ("peaks", "drain_peaks"):
            known[name] = tuple((float(at), int(replicas)) for at, replicas in known.get(name, ()))
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Term:
    """One reason for replicas: its name, how many it asks for, and the arithmetic in words."""

    name: str
    replicas: float
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"name": self.name, "replicas": round(self.replicas, 2), "text": self.text}


@dataclass(frozen=True, slots=True)
class Decision:
    """How many replicas a pool should have, and why.

    ``needed_replicas`` is what the terms ask for, ``desired_replicas`` what is left of it after all limits, ``limit``
    the one that decided. ``act`` is False when nothing may be changed (paused, Advise). ``memory`` belongs into the
    next decision.
    """

    desired_replicas: int
    needed_replicas: int
    limit: Limit
    terms: tuple[Term, ...]
    reason: str
    act: bool
    arrival_rate: float | None
    service_rate: float | None
    busy_seconds: float | None
    start_seconds: float | None
    predicted_wait_seconds: float | None
    attainable: str | None
    memory: Memory = field(repr=False)
