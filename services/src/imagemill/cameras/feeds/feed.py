"""One interface for every feed: a thread reads, the newest frame waits in a single place, older ones are dropped."""

import random
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace

from imagemill.cameras.feeds.folder import folder_grabs
from imagemill.cameras.feeds.grabs import Grab, Source, Waiter
from imagemill.cameras.feeds.policy import FeedPolicy, check_path, check_url
from imagemill.cameras.feeds.rtsp_probe import probe
from imagemill.cameras.feeds.spec import FeedError, FeedSpec
from imagemill.cameras.feeds.timing import GOOD_AFTER_SECONDS, FeedFacts, FeedState, feed_state, reconnect_pause_seconds
from imagemill.cameras.feeds.web import web_grabs
from imagemill.domain.redact import redact

Grabs = Generator[Grab, None, None]


@dataclass(frozen=True)
class FeedStatus:
    """For a page: state, the sentence of the last problem, and counts since the feed was opened.

    `waiting`: there is a frame that nobody has taken yet, which may be so after the feed has ended.
    """

    state: FeedState
    problem: str | None
    grabbed: int
    dropped: int
    reconnects: int
    last_frame_at: float | None
    ended: bool
    waiting: bool = False


class Feed:
    """A feed that reads in its own thread until it is closed, and opens itself again when it fails.

    Memory: the frame that waits, and one that is being made.
    """

    def __init__(
        self,
        spec: FeedSpec,
        source: Source,
        chance: Callable[[], float] = random.random,
        on_frame: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_frame` is called in the feed's thread when a frame waits; it must be quick."""
        self.spec = spec
        self._source = source
        self._chance = chance
        self._on_frame = on_frame
        self._clock = clock
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._waiting: Grab | None = None
        self._facts = FeedFacts(False, None, spec.stall_seconds, spec.interval_seconds)
        self._problem: str | None = None
        self._last_at: float | None = None
        self._grabbed = self._dropped = self._reconnects = 0
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def next(self, timeout_seconds: float) -> Grab | None:
        """The newest frame that was not handed out, or None when none came in time or the feed has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._facts.ended or self._stop.is_set(), timeout_seconds)
            grab, self._waiting = self._waiting, None
            return grab

    def status(self) -> FeedStatus:
        """State and counts now."""
        with self._changed:
            state = feed_state(self._facts, self._clock())
            problem = None if state == "live" else self._problem
            counts = (self._grabbed, self._dropped, self._reconnects)
            return FeedStatus(state, problem, *counts, self._last_at, self._facts.ended, self._waiting is not None)

    def close(self, timeout_seconds: float = 30.0) -> bool:
        """Stop reading; False when the reader still waits for the network, which ends at its own timeout."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        attempt = 0
        while not self._stop.is_set():
            began = self._clock()
            problem = self._read()
            self._note(problem)
            if problem is None:
                break
            attempt = 1 if self._clock() - began > GOOD_AFTER_SECONDS else attempt + 1
            if self._stop.wait(reconnect_pause_seconds(attempt, self._chance())):
                break
            self._reconnects += 1
        self._note(self._problem, ended=True)

    def _read(self) -> str | None:
        """Read until it fails, with the sentence why, or until there is no more."""
        try:
            for grab in self._source(self._stop):
                self._put(grab)
                if self._stop.is_set():
                    break
        except FeedError as error:
            return redact(str(error))
        except Exception as error:  # a decoder's surprise must not end a feed for good; its words may hold the URL
            return f"reading failed unexpectedly ({type(error).__name__})"
        return None

    def _put(self, grab: Grab) -> None:
        with self._changed:
            self._dropped += self._waiting is not None
            self._waiting, self._last_at = grab, grab.at
            self._grabbed += 1
            self._facts = replace(self._facts, connected=True, last_frame_at=self._clock())
            self._changed.notify_all()
        self._on_frame()

    def _note(self, problem: str | None, ended: bool = False) -> None:
        with self._changed:
            self._problem = problem
            self._facts = replace(self._facts, connected=False, ended=ended)
            self._changed.notify_all()


def open_feed(spec: FeedSpec, policy: FeedPolicy) -> Feed:
    """Begin to read; problems show in the status, and the feed goes on trying. The policy is asked at every attempt."""
    return Feed(spec, lambda stop: grabs(spec, policy, stop))


def grabs(spec: FeedSpec, policy: FeedPolicy, stop: Waiter, began_at: float | None = None) -> Grabs:
    """The frames of a feed, once through, in this thread; FeedError when it cannot be read or fails."""
    # Loaded here: OpenCV takes a second and 60 MB, and whoever only checks an address does not need it.
    from imagemill.cameras.feeds.capture import rtsp_grabs, video_grabs

    if spec.kind == "http":
        yield from web_grabs(spec, policy, stop)
    elif spec.kind == "rtsp":
        target = check_url(spec.address, policy)
        probe(target, spec)
        yield from rtsp_grabs(target, spec, stop)
    else:
        read = folder_grabs if spec.kind == "folder" else video_grabs
        yield from read(check_path(spec, policy), spec, stop, began_at=began_at)


def first_frame(spec: FeedSpec, policy: FeedPolicy) -> Grab:
    """One frame, for a test button; FeedError (without secrets) when there is none."""
    try:
        with closing(grabs(spec, policy, threading.Event())) as frames:
            first = next(frames, None)
    except FeedError as error:
        raise type(error)(redact(str(error))) from None
    if first is None:
        raise FeedError("the feed ended before its first frame")
    return first
