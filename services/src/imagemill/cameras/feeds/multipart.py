"""Takes JPEG pictures out of a multipart/x-mixed-replace stream, whatever a camera's idea of it is. No I/O."""

from imagemill.cameras.feeds.spec import MAX_FRAME_BYTES, FeedError

BEGIN, END = b"\xff\xd8\xff", b"\xff\xd9"
# Between two pictures there is a boundary and a few header lines.
MOST_HEADER_BYTES = 16 * 1024


class JpegSplitter:
    """Feed it bytes, get whole pictures. Holds at most one picture and one header."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Pictures that are complete now; FeedError when the stream is none of JPEG pictures."""
        self._buffer += data
        found = []
        while (picture := self._next()) is not None:
            found.append(picture)
        return found

    def _next(self) -> bytes | None:
        begin = self._buffer.find(BEGIN)
        if begin < 0:
            if len(self._buffer) > MOST_HEADER_BYTES:
                raise FeedError(f"the camera sent {len(self._buffer)} bytes without a JPEG picture in them")
            return None
        if begin > 0:
            self._length = _content_length(bytes(self._buffer[:begin][-MOST_HEADER_BYTES:]))
            del self._buffer[:begin]
            self._searched = 0
        end = self._end()
        return self._cut(end) if end is not None else None

    def _end(self) -> int | None:
        if self._length is not None:
            self._check_size(self._length)
            return self._length if len(self._buffer) >= self._length else None
        # Without a length the picture ends where its end marker is followed by a boundary or by nothing yet.
        at = self._buffer.find(END + b"\r\n--", max(0, self._searched - 6))
        at = at if at >= 0 else self._buffer.find(END + b"--", max(0, self._searched - 6))
        self._searched = len(self._buffer)
        self._check_size(len(self._buffer))
        return at + len(END) if at >= 0 else None

    def _cut(self, end: int) -> bytes:
        picture = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._length, self._searched = None, 0
        return picture

    def _check_size(self, length: int) -> None:
        if length > MAX_FRAME_BYTES:
            raise FeedError(f"the camera sends a picture of more than {MAX_FRAME_BYTES:,} bytes")


def _content_length(header: bytes) -> int | None:
    for line in header.lower().split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon and name.strip() == b"content-length" and value.strip().isdigit():
            return int(value.strip()) or None
    return None
