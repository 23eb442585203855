"""`python -m imagemill.camera.once`: one frame of the camera whose JSON comes in, as JPEG; ends itself in time.

A process of its own, because it opens what a person typed and decodes what comes from there: neither its memory nor
its end may be the caller's. Ends with 3 and a sentence when there is no frame.
"""

import json
import resource
import signal
import sys

from imagemill.admission.validate import Limits, Rejected, validate
from imagemill.cameras.feeds import FeedError, first_frame
from imagemill.cameras.feeds.spec import MAX_FRAME_BYTES
from imagemill.cameras.specs import policy_of, spec_of
from imagemill.domain.cameras import Camera
from imagemill.domain.errors import Invalid
from imagemill.settings import Settings

NO_FRAME = 3
_MOST_MEMORY_BYTES = 2 * 1024**3
_LIMITS = Limits(max_bytes=MAX_FRAME_BYTES, max_pixels=40_000_000, max_frames=1)
_QUALITY = 85


def main() -> int:
    """Reads the camera from the standard input, writes the picture to the standard output."""
    settings = Settings()
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    # The caller ends it sooner; this is for a caller that died.
    signal.alarm(int(settings.camera_test_seconds) + 5)
    try:
        picture = frame_of(Camera.parse(json.load(sys.stdin)), settings)
    except (Invalid, FeedError, Rejected) as error:
        print(str(error))
        return NO_FRAME
    sys.stdout.buffer.write(picture)
    return 0


def frame_of(camera: Camera, settings: Settings) -> bytes:
    """The camera's first frame as JPEG; FeedError or Refused when there is none that can be shown."""
    data = first_frame(spec_of(camera, settings), policy_of(settings)).data
    header = validate(data, _LIMITS)
    return data if header.content_type == "image/jpeg" else _as_jpeg(data)


def _as_jpeg(data: bytes) -> bytes:
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise FeedError("the camera sent a picture that cannot be decoded")
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


if __name__ == "__main__":
    sys.exit(main())
