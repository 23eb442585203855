"""Counts of frames: as metrics of the program, and per camera as activity records, at most every ten seconds."""

from prometheus_client import Counter, Gauge, Histogram

from imagemill.wire.activity import Activity

EVERY_SECONDS = 10.0

SECONDS = Histogram(
    "imagemill_frame_seconds", "Seconds of work on a frame",
    buckets=(0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4),
)  # fmt: skip
FRAMES = Counter("imagemill_frames", "Frames looked at, by what became of them", ["result"])
SOURCES = Gauge("imagemill_frame_sources", "Sources whose state is in memory")
# Of frames that no source can be told of.
BROKEN = FRAMES.labels("no-frame")

_RESULTS = {"frames": "seen", "late": "late", "missed": "missed", "unreadable": "unreadable"}


class Counting:
    """What was counted of each source of one thread. Counts go on after a restart, as the state holds them."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, int]] = {}
        self._told: dict[str, tuple[float, dict[str, int]]] = {}

    def begin(self, source: str, counts: dict[str, int]) -> None:
        """A source is in memory now, with what was counted before."""
        self._seen[source] = counts

    def note(self, source: str, counts: dict[str, int]) -> None:
        """After a frame."""
        before = self._seen.get(source, {})
        for name, result in _RESULTS.items():
            FRAMES.labels(result).inc(max(0, counts[name] - before.get(name, 0)))
        self._seen[source] = counts

    def forget(self, source: str) -> None:
        """A source is in memory no more."""
        self._seen.pop(source, None)
        self._told.pop(source, None)

    def tell(self, activity: Activity, now: float) -> None:
        """Sends what has changed and is due."""
        for source, counts in self._seen.items():
            at, told = self._told.get(source, (float("-inf"), {}))
            if counts != told and now - at >= EVERY_SECONDS:
                activity.note("camera-counts", None, camera=source, **counts)
                self._told[source] = (now, counts)
