"""Every write goes through here: none without the lease, none while the API server asks for a pause; refusals count."""

import logging
from collections.abc import Awaitable, Callable

from imagemill_operator.kube import KubeError
from imagemill_operator.pace import Pace

LOG = logging.getLogger(__name__)
CONFLICT, FORBIDDEN, NOT_FOUND, TOO_MANY, NO_ANSWER = 409, 403, 404, 429, 0
SILENCE_SECONDS = 1.0
"""After a request that was not answered the others of the moment would wait as long in vain."""


class NotSentError(KubeError):
    """A write that was not even tried."""


class Writes:
    """Tries writes. ``may_write`` is asked before each: another operator may have taken over meanwhile."""

    def __init__(self, pace: Pace, may_write: Callable[[], bool]) -> None:
        self.pace, self._may_write = pace, may_write
        self.errors: dict[tuple[str, str], int] = {}

    async def attempt(self, verb: str, write: Callable[[], Awaitable[None]]) -> KubeError | None:
        """Return what was refused. A conflict or a missing object is news that the watch brings too."""
        if not self._may_write():
            return NotSentError(NO_ANSWER, "another operator may hold the lease")
        if self.pace.paused:
            return NotSentError(TOO_MANY, "the API server asks for a pause")
        try:
            await write()
        except KubeError as error:
            self._note(verb, error)
            return error
        return None

    def _note(self, verb: str, error: KubeError) -> None:
        key = verb, str(error.status)
        self.errors[key] = self.errors.get(key, 0) + 1
        LOG.log(logging.DEBUG if error.status in (CONFLICT, NOT_FOUND) else logging.WARNING, "Not written: %s", error)
        if error.retry_after_seconds is not None:
            self.pace.pause(error.retry_after_seconds)
        elif error.status in (NO_ANSWER, TOO_MANY):
            self.pace.pause(SILENCE_SECONDS)
