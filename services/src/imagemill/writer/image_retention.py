"""Images that are erased by themselves, when they are old enough for the rule that is meant for them.

Ids sort by time, so each rule goes once over all images, as they grow old enough for it, and remembers how far it came.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

import structlog
from prometheus_client import Counter

from imagemill.concurrency.heartbeat import beat
from imagemill.domain.erasures import Erasure
from imagemill.domain.ids import floor_at, timestamp
from imagemill.domain.images import Image, Job
from imagemill.store.couch import Couch, Document
from imagemill.store.erasures import Erasures
from imagemill.store.leases import Lease
from imagemill.store.ledger import Ledger
from imagemill.wire.activity import Activity

log = structlog.get_logger(__name__)

RETIRED = Counter("imagemill_images_retired", "Images erased because they were older than the setting says")
_DAY_SECONDS, _HOUR_SECONDS = 86_400.0, 3600.0
_PAGES_PER_ROUND = 20
_BY = "retention"


def is_meant(rule: str, job: Job) -> bool:
    """Is a rule, `recipe:NAME` or `batch:PATTERN`, for this job?

    >>> from types import SimpleNamespace as Job
    >>> is_meant("batch:tmp-*", Job(batch="tmp-7", recipe="gray"))
    True
    """
    kind, _, pattern = rule.partition(":")
    return job.recipe == pattern if kind == "recipe" else fnmatchcase(job.batch, pattern)


class ImageRetention:
    """A duty of one program at a time; call `round` again and again."""

    def __init__(
        self, couch: Couch, ledger: Ledger, lease: Lease, activity: Activity, days: Mapping[str, float],
        grace_hours: float,
    ) -> None:  # fmt: skip
        self._state, self._ledger, self._erasures = couch.database("state"), ledger, Erasures(couch)
        self._lease, self._activity, self._days, self._grace_hours = lease, activity, days, grace_hours

    def round(self) -> int:
        """Erase what is due; returns how many. Raises StoreUnavailable or Conflict."""
        if not self._days or not self._lease.hold():
            return 0
        return sum(self._go_on(rule, days) for rule, days in self._days.items())

    def _go_on(self, rule: str, days: float) -> int:
        cursor: Document = self._state.get(_cursor_id(rule)) or {"_id": _cursor_id(rule), "before": floor_at(0)}
        start, end = str(cursor["before"]), floor_at(time.time() - days * _DAY_SECONDS)
        erased = 0
        for _ in range(_PAGES_PER_ROUND):
            if not (start < end and self._lease.hold()):
                break
            images, following = self._ledger.images_between(start, end)
            beat()
            erased += self._erase(rule, [image for image in images if is_meant(rule, image.job)])
            # What is in flight after all that time is waited for, and what is behind it too.
            start = min((image.job.id for image in images if image.outcome is None), default=following)
            if start != following:
                break
        if start != cursor["before"]:
            self._state.put({**cursor, "before": start})
        return erased

    def _erase(self, rule: str, images: Iterable[Image]) -> int:
        old = {image.job.id: image for image in images if image.outcome and not image.erasure}
        pins = self._erasures.pins(old) if old else {}
        now = time.time()
        at, due = timestamp(now), timestamp(now + self._grace_hours * _HOUR_SECONDS)
        erased = self._erasures.add([
            Erasure(id=one, batch=image.job.batch, at=at, by=_BY, due=due, note=rule)
            for one, image in old.items()
            if one not in pins
        ])  # fmt: skip
        for one in erased:
            self._activity.note("erased", one, batch=old[one].job.batch)
        if erased:
            RETIRED.inc(len(erased))
            log.info("images are old enough to be erased", rule=rule, count=len(erased))
        return len(erased)


def _cursor_id(rule: str) -> str:
    return f"retention:{hashlib.sha256(rule.encode()).hexdigest()[:16]}"
