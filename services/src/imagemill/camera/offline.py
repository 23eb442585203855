"""When a camera's state is news: what its lease says next, and when being away has lasted so long that it is told."""

from dataclasses import dataclass, replace

from imagemill.cameras.feeds import FeedStatus
from imagemill.domain.events import Change, Event
from imagemill.store.camera_leases import CameraLease

ENDED, UNASSIGNED, LIVE = "ended", "unassigned", "live"
OFFLINE = "offline"
FULL = "every reader is full; add one, or give them more capacity"


@dataclass(frozen=True)
class Seen:
    """How a camera is: the state, and in a sentence why it is not live."""

    state: str
    problem: str | None = None


@dataclass(frozen=True)
class Away:
    """A camera that is away, by its lease; with a reason it is away no longer."""

    lease: CameraLease
    end_reason: str | None = None


def seen(status: FeedStatus) -> Seen | None:
    """A feed's status, or None while it is opened for the first time and nothing is known yet."""
    if status.ended and status.waiting:
        return None  # whoever calls it ended closes it, and its last frame is still to be sent
    if status.ended:
        return Seen(ENDED) if status.problem is None else Seen(OFFLINE, status.problem)
    if status.state == OFFLINE and status.problem is None and status.reconnects == 0:
        return None
    return Seen(status.state, status.problem)


def watched(lease: CameraLease, now_seen: Seen, now: float, alert_seconds: float) -> tuple[CameraLease, Change | None]:
    """The lease as it is next, and the change (`new` or `end`) of the event that the camera is away."""
    since = lease.since if lease.state == now_seen.state else now
    noted = replace(lease, state=now_seen.state, problem=now_seen.problem, since=since)
    if now_seen.state in (LIVE, ENDED):
        return replace(noted, down_since=None, alerted=False), "end" if lease.alerted else None
    down_since = now if lease.down_since is None else lease.down_since
    due = now - down_since >= alert_seconds and not lease.alerted
    return replace(noted, down_since=down_since, alerted=lease.alerted or due), "new" if due else None


def offline_event(away: Away, now: float) -> Event:
    """In the form of every event. The id follows from when it went away, whoever tells it."""
    lease, end_reason = away.lease, away.end_reason
    began = lease.down_since or now
    return Event(
        id=f"{lease.camera}:{round(began * 1000)}",
        source=lease.camera,
        kind=OFFLINE,
        event_class="alert",
        started_at=began,
        last_at=now,
        ended_at=now if end_reason else None,
        end_reason=end_reason,
        seconds=round(now - began, 3),
        best_at=began,
        score=1.0,
        area=0.0,
        frames=0,
        moving_frames=0,
        zones=(),
        regions=(),
        people=None,
        reason=lease.problem,
    )
