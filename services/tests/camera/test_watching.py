"""When a camera's state is written down, and when being away becomes an event. Pure."""

from dataclasses import replace

from imagemill.camera.offline import Away, Seen, offline_event, seen, watched
from imagemill.cameras.feeds import FeedStatus
from imagemill.store.camera_leases import CameraLease

LIVE, OFFLINE = Seen("live"), Seen("offline", "nobody answers")
LEASE = CameraLease("yard", "me", 7, "live", None, 100.0)


def status(**facts: object) -> FeedStatus:
    usual = FeedStatus("offline", None, grabbed=0, dropped=0, reconnects=0, last_frame_at=None, ended=False)
    return replace(usual, **facts)


def test_nothing_is_known_while_a_feed_is_opened_for_the_first_time() -> None:
    assert seen(status()) is None
    assert seen(status(problem="nobody answers")) == OFFLINE
    assert seen(status(state="live")) == LIVE


def test_a_file_that_was_played_is_ended_but_one_that_broke_is_offline() -> None:
    assert seen(status(ended=True)) == Seen("ended")
    assert seen(status(ended=True, problem="gone")) == Seen("offline", "gone")


def test_a_feed_that_ended_is_not_called_so_before_its_last_frame_was_taken() -> None:
    assert seen(status(ended=True, waiting=True)) is None
    assert seen(status(state="stalled", reconnects=2, ended=True, waiting=True)) is None


def test_what_did_not_change_is_not_written() -> None:
    assert watched(LEASE, LIVE, 500.0, 60) == (LEASE, None)


def test_being_away_is_told_once_it_lasts_and_once_it_ends() -> None:
    away, change = watched(LEASE, OFFLINE, 200.0, 60)
    assert (away.state, away.since, away.down_since, change) == ("offline", 200.0, 200.0, None)
    assert watched(away, OFFLINE, 259.0, 60) == (away, None)
    told, change = watched(away, Seen("stalled", "again"), 260.0, 60)
    assert (told.alerted, told.down_since, change) == (True, 200.0, "new")
    assert watched(told, Seen("stalled", "again"), 900.0, 60) == (told, None)
    back, change = watched(told, LIVE, 1000.0, 60)
    assert (back.alerted, back.down_since, change) == (False, None, "end")


def test_a_short_absence_is_no_event() -> None:
    away, _ = watched(LEASE, OFFLINE, 200.0, 60)
    assert watched(away, LIVE, 230.0, 60)[1] is None


def test_the_event_is_the_same_whoever_tells_it() -> None:
    away = replace(LEASE, state="offline", problem="nobody answers", down_since=200.0, alerted=True)
    begun, ended = offline_event(Away(away), 260.0), offline_event(Away(replace(away, holder="other"), "live"), 300.0)
    assert begun.id == ended.id == "yard:200000"
    assert (begun.kind, begun.event_class, begun.ended_at, begun.reason) == (
        "offline", "alert", None, "nobody answers",
    )  # fmt: skip
    assert (ended.ended_at, ended.end_reason, ended.seconds) == (300.0, "live", 100.0)
