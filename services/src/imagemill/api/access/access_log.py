"""Who came in, and who was refused: in the log and counted. What floods the log is only counted."""

import threading
import time

import structlog
from flask import request
from prometheus_client import Counter

from imagemill.api.access.rates import BURST_SECONDS, Bucket
from imagemill.domain.access import Principal

log = structlog.get_logger(__name__)
REFUSED = Counter("imagemill_requests_refused", "Requests refused before any route was asked", ["code"])
_LINES_PER_SECOND = 10.0


class AccessLog:
    """The lines of one API process."""

    def __init__(self) -> None:
        self._lines = Bucket(_LINES_PER_SECOND, _LINES_PER_SECOND * BURST_SECONDS, time.monotonic())
        self._lock = threading.Lock()

    def refused(self, code: str, known: Principal | None) -> None:
        """Note a request that was refused; the query is left out, since it may hold a secret."""
        REFUSED.labels(code).inc()
        with self._lock:
            is_flood = self._lines.take(1, time.monotonic()) > 0
        if not is_flood:
            log.info(
                "refused", code=code, who=known.name if known else None, address=request.remote_addr,
                method=request.method, path=request.path,
            )  # fmt: skip

    def logged_in(self, known: Principal, how: str) -> None:
        """Note a login."""
        log.info("logged in", who=known.name, role=known.role, how=how, address=request.remote_addr)
