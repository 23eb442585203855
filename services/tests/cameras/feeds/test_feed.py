"""The reading thread: newest frame only, states, reconnects, an orderly end."""

import itertools
import threading
import time
from dataclasses import replace

import pytest

from cameras.feeds.videos import tiny_video
from imagemill.cameras.feeds import Feed, FeedError, FeedSpec, Grab, from_address, open_feed

SPEC = FeedSpec("rtsp://cam.example/", "rtsp", frames_per_second=10.0, stall_seconds=0.3)


def eventually(condition, timeout=60.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def feeds():
    opened = []

    def start(source, spec=SPEC, **options):
        opened.append(Feed(spec, source, chance=lambda: 0.0, **options))
        return opened[-1]

    yield start
    for feed in opened:
        assert feed.close(30)


def grab(number):
    return Grab(float(number), b"%d" % number, float(number))


def test_who_reads_slowly_gets_the_newest_and_the_rest_is_counted(feeds):
    done = threading.Event()

    def source(stop):
        yield from map(grab, range(100))
        done.set()
        stop.wait(20)

    feed = feeds(source)
    assert done.wait(60)
    assert feed.status().waiting
    assert feed.next(1) == grab(99)
    assert feed.next(0.01) is None
    status = feed.status()
    assert not status.waiting
    assert (status.grabbed, status.dropped, status.last_frame_at) == (100, 99, 99.0)


def test_states_from_live_to_stalled_to_live_again(feeds):
    more, clock = threading.Event(), [50.0]

    def source(stop):
        yield grab(1)
        more.wait(60)
        yield grab(2)
        stop.wait(60)

    feed = feeds(source, clock=lambda: clock[0])
    assert feed.next(60) == grab(1)
    assert feed.status().state == "live"
    clock[0] += 0.5
    assert feed.status().state == "stalled"
    more.set()
    assert feed.next(60) == grab(2)
    assert feed.status().state == "live"


def test_a_feed_that_fails_is_opened_again_and_says_why(feeds):
    attempts, back = [], threading.Event()

    def source(stop):
        attempts.append(time.monotonic())
        if len(attempts) < 3:
            raise FeedError("rtsp://u:hunter2@cam is gone")
        back.wait(60)
        yield grab(len(attempts))
        stop.wait(60)

    feed = feeds(source, replace(SPEC, stall_seconds=600.0))
    eventually(lambda: feed.status().problem)
    assert feed.status().state == "offline"
    assert feed.status().problem == "rtsp://***@cam is gone"
    back.set()
    assert feed.next(60) == grab(3)
    assert feed.status().problem is None
    assert feed.status().reconnects == 2
    assert attempts[1] - attempts[0] >= 0.4
    assert attempts[2] - attempts[1] >= 0.9


def test_a_decoders_surprise_neither_ends_the_feed_nor_shows_its_words(feeds):
    def source(stop):
        raise RuntimeError("rtsp://u:hunter2@cam")
        yield

    feed = feeds(source)
    eventually(lambda: feed.status().problem)
    assert feed.status().problem == "reading failed unexpectedly (RuntimeError)"


def test_a_feed_that_has_ended_says_so_and_does_not_keep_anybody_waiting(feeds):
    feed = feeds(lambda stop: iter([grab(1)]))
    assert feed.next(60) == grab(1)
    began = time.monotonic()
    assert feed.next(120) is None
    assert time.monotonic() - began < 60
    assert feed.status().ended
    assert feed.status().state == "offline"


def test_closing_wakes_whoever_waits():
    feed = Feed(SPEC, lambda stop: iter(() if stop.wait(120) else [grab(1)]))
    woken = threading.Thread(target=feed.next, args=(120,))
    woken.start()
    assert feed.close(60)
    woken.join(60)
    assert not woken.is_alive()


def test_a_video_as_a_feed_plays_and_loops(tmp_path, policy):
    spec = from_address(str(tiny_video(tmp_path / "a.avi", 1)), frames_per_second=10.0)
    feed = open_feed(spec, policy)
    taken = [feed.next(60) for _ in range(14)]
    assert feed.status().state == "live"
    assert feed.close(30)
    assert None not in taken
    assert [b.at > a.at for a, b in itertools.pairwise(taken)] == [True] * 13


def test_a_feed_that_is_refused_stays_offline_with_the_reason(policy):
    feed = open_feed(from_address("/etc/hostname"), policy)
    eventually(lambda: feed.status().problem)
    assert "not in a folder that may be read" in feed.status().problem
    assert feed.status().state == "offline"
    assert feed.close(30)
