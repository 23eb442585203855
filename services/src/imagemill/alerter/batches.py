"""Watches the batches of which somebody wants to know when they are complete, and writes down what is to be told then.

What is watched is in the database: batches outlive an alerter. Here is only when to look at each.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from imagemill.alerting.batch_watch import BatchWatch, next_step
from imagemill.alerting.outcomes import CloudEvent, Subscriptions, batch_event, ended_at, receivers_of
from imagemill.concurrency.heartbeat import beat
from imagemill.domain.deliveries import BATCH_COMPLETE
from imagemill.domain.images import Counts, Image
from imagemill.store.ledger import Ledger
from imagemill.store.months import month_at
from imagemill.store.webhook_state import StoredWatch, WebhookState

_AT_ONCE = 200
# Writes down for whom an event is; returns how many of these deliveries are new.
Tell = Callable[[Sequence[tuple[CloudEvent, Sequence[str]]]], int]


class Batches:
    """Used by the one thread of the alerter that has the lease. Every method may raise StoreUnavailable."""

    def __init__(self, state: WebhookState, ledger: Ledger, tell: Tell, quiet_seconds: float, page_url: str) -> None:
        self._state, self._ledger, self._tell = state, ledger, tell
        self._quiet, self._page_url = quiet_seconds, page_url
        self._months: dict[str, str] = {}
        self._look_at: dict[str, float] = {}

    def load(self) -> None:
        """Read which batches are watched: another alerter may have done it until now."""
        watches = list(self._state.all_watches())
        self._months = {watch.batch: watch.month for watch in watches}
        self._look_at = {watch.batch: watch.seen_at + self._quiet for watch in watches}

    def note(self, images: Sequence[Image], subscriptions: Subscriptions, now: float) -> None:
        """Watch the batches of pictures that have ended, if anybody wants to know."""
        touched: dict[str, BatchWatch] = {}
        for image in images:
            job = image.job
            receivers = receivers_of(BATCH_COMPLETE, subscriptions, job.batch_callback)
            if receivers or job.batch in self._months:
                new = BatchWatch(job.batch, self._months.get(job.batch, month_at(now)), (), "", now)
                touched[job.batch] = touched.get(job.batch, new).merged(receivers, ended_at(image), now)
        for names in _parts(sorted(touched)):
            self._write({name: touched[name] for name in names})

    def _write(self, touched: dict[str, BatchWatch]) -> None:
        there = self._state.read({name: watch.month for name, watch in touched.items()})
        self._state.write([_merged(watch, there.get(name)) for name, watch in touched.items()])
        for name, watch in touched.items():
            self._months[name], self._look_at[name] = watch.month, watch.seen_at + self._quiet

    def turn(self) -> int:
        """Look at the batches whose time has come; returns how many deliveries are new."""
        now = time.time()
        due = [name for name, at in self._look_at.items() if at <= now]
        return sum(self._look(names, now) for names in _parts(due))

    def _look(self, names: Sequence[str], now: float) -> int:
        beat()
        there = self._state.read({name: self._months[name] for name in names})
        counts = self._ledger.counts_of(list(there))
        steps = {name: next_step(one.watch, counts.get(name), now, self._quiet) for name, one in there.items()}
        complete = [name for name, step in steps.items() if step.do == "tell"]
        new = self._tell([self._event(there[name].watch, counts[name]) for name in complete])
        self._state.write([_told(there[name], counts[name]) for name in complete])
        done = [name for name, step in steps.items() if step.do == "forget"]
        self._state.forget([there[name] for name in done])
        for name in (*done, *(name for name in names if name not in there)):
            del self._months[name], self._look_at[name]
        self._look_at |= {name: step.again_at for name, step in steps.items() if step.do != "forget"}
        return new

    def _event(self, watch: BatchWatch, counts: Counts) -> tuple[CloudEvent, Sequence[str]]:
        return batch_event(watch.batch, counts, watch.ended_at, self._page_url), watch.receivers


def _merged(watch: BatchWatch, stored: StoredWatch | None) -> StoredWatch:
    if stored is None:
        return StoredWatch(watch)
    merged = stored.watch.merged(watch.receivers, watch.ended_at, watch.seen_at)
    return StoredWatch(merged, stored.revision)


def _told(stored: StoredWatch, counts: Counts) -> StoredWatch:
    return replace(stored, watch=replace(stored.watch, told=counts.accepted))


def _parts(names: Sequence[str]) -> Iterator[list[str]]:
    remaining = iter(names)
    while part := list(islice(remaining, _AT_ONCE)):
        yield part
