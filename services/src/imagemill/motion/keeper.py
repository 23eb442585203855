"""The pictures of an event, in bounded memory: the best with its preview, the one before, a strip of small ones."""

from dataclasses import dataclass, field

from imagemill.motion.frames import Frame, UnreadableFrameError, as_jpeg, small_color

# 144 pixels show who walks where; at quality 75 a picture of the strip has 4–8 kB.
STRIP_HEIGHT = 144
STRIP_QUALITY = 75
BEFORE, BEST, ANNOTATED, PREVIEW = "before.jpg", "best.jpg", "annotated.jpg", "preview.jpg"


@dataclass
class Strip:
    """At most `most` small pictures spread over the whole event, however long it gets.

    When it is full every second one is dropped and from then on only every second frame is taken, and so on.
    """

    most: int
    pictures: list[tuple[float, bytes]] = field(default_factory=list)
    every: int = 1
    seen: int = 0

    def add(self, at: float, data: bytes) -> None:
        """Take a frame, if it is its turn."""
        if self.seen % self.every == 0:
            if len(self.pictures) >= self.most:
                self.pictures = self.pictures[::2]
                self.every *= 2
            if self.seen % self.every == 0:
                self.pictures.append((at, small_jpeg(data)))
        self.seen += 1

    def as_files(self) -> dict[str, bytes]:
        """The pictures by file name, in order."""
        return {f"strip-{index:02}.jpg": data for index, (_, data) in enumerate(self.pictures)}


@dataclass
class Kept:
    """What an event holds: the encoded frames as they came, so three large pictures and a strip at most."""

    strip: Strip
    before: bytes | None = None
    best: bytes | None = None
    annotated: bytes | None = None

    def replace_best(self, frame: Frame) -> None:
        """A better frame; what was drawn on the last one is void."""
        self.best, self.annotated = frame.data, None

    def preview(self) -> dict[str, bytes]:
        """The best frame as small as those of the strip, for lists; nothing where it cannot be made smaller."""
        data = small_jpeg(self.best) if self.best is not None else b""
        return {PREVIEW: data} if data else {}

    def files(self) -> dict[str, bytes]:
        """All that is there, by file name."""
        single = {BEFORE: self.before, BEST: self.best, ANNOTATED: self.annotated}
        return {name: data for name, data in single.items() if data is not None} | self.strip.as_files()


def small_jpeg(data: bytes) -> bytes:
    """A small colour version, or the frame itself when it cannot be made smaller."""
    try:
        return as_jpeg(small_color(data, STRIP_HEIGHT), STRIP_QUALITY)
    except UnreadableFrameError:
        return b""
