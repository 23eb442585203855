"""Whether the bytes of a picture are still to be had."""

import time

from imagemill.api.web.problems import Problem
from imagemill.domain.images import Image


def with_bytes(image: Image) -> Image:
    """The picture, unless it was erased; raises Problem."""
    erasure = image.erasure
    if erasure is None:
        return image
    until = f"; until {erasure.due} that can be undone" if erasure.can_be_undone(time.time()) else ""
    detail = f"It was erased at {erasure.at} by {erasure.by}{until}."
    raise Problem(410, "erased", detail, image=image.job.id)
