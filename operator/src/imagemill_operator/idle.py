"""When the broker's statistics prove that a pod is idle: they are seconds old, and a message may have come since."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from imagemill_operator.channels import INTERVAL_SECONDS, ChannelList
from imagemill_operator.facts import PodFacts
from imagemill_operator.holders import Held, held_messages
from imagemill_operator.policy import LONGEST_WORK, Observation

INTERVALS = 2
"""A channel tells what it holds once in ``collect_statistics_interval``, and the management plugin gathers as often."""
LAG_SECONDS = INTERVALS * INTERVAL_SECONDS
"""So old statistics are at most where the interval is the default."""
LOOK_SECONDS = 4.0
"""Statistics that are renewed every 5 s need not be asked for more often."""
REFUSED_SECONDS = 60.0
"""What was refused, or is too much to read, is asked for again so seldom: it costs the broker as much as an answer."""
FRESH_SECONDS = 15.0
"""An older look says nothing about busy or idle."""
PATIENCE_SECONDS = 60.0
"""Where messages come all the time, replicas that are too many wait for a quiet moment no longer than this."""
NOBODY_KNOWN = (
    "None of the pods is known to consume a queue of the pool by an address of its own: a proxy is between them and "
    "the broker, or they are on the host's network."
)
PENDING = "The broker has not been asked yet which pods hold messages."


@dataclass(frozen=True, slots=True)
class PodsSeen:
    """What is known of a pool's pods by the broker: messages of those that are busy, and 0 of those proved idle.

    ``waiting`` are those that look idle but may have got a message since. ``problem`` says why nothing is known;
    ``pending`` is whether it may be soon. ``lag_seconds`` is how old statistics may be, None while nobody knows.
    ``none_in_work`` is whether no message of the queues has been in work for so long: then nobody of whom nothing is
    known can hold one.
    """

    held: Mapping[str, int] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    elsewhere: int = 0
    problem: str = ""
    pending: bool = False
    lag_seconds: float | None = LAG_SECONDS
    none_in_work: bool = False

    @property
    def is_told(self) -> bool:
        """Whether the broker told of some pod, be it only that none is proved idle yet."""
        return not (self.problem or self.pending)

    def unknown(self, pods: Collection[PodFacts]) -> int:
        """Count those of the pods of which nothing is known: they are taken to be busy."""
        return sum(pod.name not in self.held and pod.name not in self.waiting for pod in pods)


class IdleTimes:
    """Remembers, from look to look, since when each pod has looked idle.

    A look shows a moment up to ``lag_seconds`` ago. So a pod is idle when it has looked idle, with no look that showed
    it otherwise, for so long since the last time that any message moved. While nobody knows how long, none is.
    """

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._moved_at: float | None = None
        self._restless_since = 0.0
        self._none_since: float | None = None
        self._looked_at: float | None = None
        self._pause_seconds = LOOK_SECONDS
        self._lag_seconds: float | None = LAG_SECONDS
        self._held = Held()
        self._problem = ""
        self._failing_since: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether there may be something new to see."""
        return self._looked_at is None or now - self._looked_at >= self._pause_seconds

    def take(
        self,
        told: ChannelList,
        pods: Collection[PodFacts],
        all_pods: Iterable[PodFacts],
        queues: Collection[str],
        now: float,
    ) -> None:
        """Take in the channels of the pool's virtual host, or that they are not told."""
        held = held_messages(pods, all_pods, told.channels, queues)
        problem = told.problem or ("" if held.by_pod else NOBODY_KNOWN)
        if problem:
            self.fail(problem, now, is_passing=told.is_passing)
        else:
            self.look(held, now)
            self._lag_seconds = None if told.interval_seconds is None else INTERVALS * told.interval_seconds
        self._pause_seconds = REFUSED_SECONDS if told.problem and not told.is_passing else LOOK_SECONDS

    def look(self, held: Held, now: float) -> None:
        """Take in what the broker told just now."""
        self._looked_at, self._held, self._problem, self._failing_since = now, held, "", None
        self._pause_seconds = LOOK_SECONDS
        self._since = {pod: self._since.get(pod, now) for pod, count in held.by_pod.items() if count == 0}

    def fail(self, problem: str, now: float, *, is_passing: bool = False) -> None:
        """Take in that the broker did not tell. What it told before proves nothing any more."""
        self._looked_at, self._problem, self._since = now, problem, {}
        begun = now if self._failing_since is None else self._failing_since
        self._failing_since = begun if is_passing else now - FRESH_SECONDS

    def move(self, now: float) -> None:
        """Take in that a message came or waits: any pod may have got one."""
        if self._moved_at is None or now - self._moved_at >= (self._lag_seconds or LAG_SECONDS):
            self._restless_since = now
        self._moved_at, self._none_since = now, None
        if now - self._restless_since < PATIENCE_SECONDS:
            self._since = {pod: max(since, now) for pod, since in self._since.items()}

    def count(self, unacked: int | None, now: float) -> None:
        """Take in how many messages of the queues are in work; None when nobody tells."""
        begun = now if self._none_since is None else self._none_since
        self._none_since = begun if unacked == 0 else None

    def seen(self, now: float, *, with_proof: bool = True) -> PodsSeen:
        """Say what is known now; ``with_proof`` is whether a pod has to look idle for as long as statistics lag."""
        if self._problem:
            is_new = self._failing_since is not None and now - self._failing_since < FRESH_SECONDS
            return PodsSeen(problem=self._problem, pending=is_new)
        if self._looked_at is None or now - self._looked_at > FRESH_SECONDS:
            return PodsSeen(problem=PENDING, pending=True)
        looked_at, lag_seconds = self._looked_at, math.inf if self._lag_seconds is None else self._lag_seconds
        waiting = frozenset(pod for pod, since in self._since.items() if with_proof and looked_at - since < lag_seconds)
        held = {pod: count for pod, count in self._held.by_pod.items() if pod not in waiting}
        is_none = self._none_since is not None and now - self._none_since >= (lag_seconds if with_proof else 0.0)
        elsewhere = 0 if is_none else self._held.elsewhere
        return PodsSeen(held, waiting, elsewhere, lag_seconds=self._lag_seconds, none_in_work=is_none)


def has_moved(before: Observation | None, now: Observation) -> bool:
    """Whether a message may have been handed out between two observations."""
    if before is None or before.backlog is None or now.backlog is None or now.backlog.ready:
        return True
    done = (now.completed_total or 0.0) - (before.completed_total or 0.0)
    return bool(before.backlog.ready) or now.backlog.total + done > before.backlog.total


def needs_proof(busy_seconds: float | None, grace_seconds: float | None) -> bool:
    """Whether a pod has to look idle for as long as statistics lag.

    Not where a pod that is told to stop can finish any message: then nothing is lost by a look that was too old, and
    to wait for a quiet moment would keep the replicas of a steady stream.
    """
    return busy_seconds is None or grace_seconds is None or LONGEST_WORK * busy_seconds > grace_seconds
