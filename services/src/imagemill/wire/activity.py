"""Small records of what happens, for the live page and the journal; under pressure they are dropped."""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from prometheus_client import Counter

from imagemill.concurrency.heartbeat import beat
from imagemill.concurrency.loop import Loop
from imagemill.domain.activity import Record
from imagemill.domain.ids import timestamp
from imagemill.wire import topology
from imagemill.wire.broker import Broker, BrokerUnavailable, Outgoing
from imagemill.wire.reading import reads_messages

_MAX_RECORDS_PER_MESSAGE = 200
DROPPED = Counter("imagemill_activity_dropped", "Activity records which were dropped")


class Activity:
    """Collects records, and sends them in batches from a thread of its own."""

    def __init__(self, broker: Broker, program: str, instance: str, flush_seconds: float, max_records: int) -> None:
        self._broker, self._program, self._instance = broker, program, instance
        self._records: deque[Record] = deque(maxlen=max_records)
        self._loop = Loop("activity", self._flush, every_seconds=flush_seconds, at_end=self._flush)

    def start(self) -> None:
        """Begin to send."""
        self._loop.start()

    def note(self, kind: str, image: str | None = None, **facts: Any) -> None:
        """Note that something happened, to an image or to the program."""
        if len(self._records) == self._records.maxlen:
            DROPPED.inc()
        record = {"at": timestamp(), "kind": kind, "program": self._program, "by": self._instance}
        self._records.append(record | ({"image": image} if image else {}) | facts)

    def close(self, timeout_seconds: float = 5) -> bool:
        """Send what is left; False when that takes too long."""
        return self._loop.close(timeout_seconds)

    def _flush(self) -> None:
        while self._records:
            beat()
            count = min(len(self._records), _MAX_RECORDS_PER_MESSAGE)
            batch = [self._records.popleft() for _ in range(count)]
            try:
                self._broker.publish(activity_message(self._program, batch))
            except BrokerUnavailable:
                self._records.extendleft(reversed(batch[: (self._records.maxlen or 0) - len(self._records)]))
                return


def activity_message(program: str, records: list[Record]) -> Outgoing:
    """A batch of records."""
    return Outgoing(
        topology.ACTIVITY, program, body=json.dumps(records).encode(), type="activity",
        content_type="application/json", mandatory=False,
    )  # fmt: skip


@reads_messages
def records_of(body: bytes) -> list[Record]:
    """Reads a batch; raises ValueError when it is not one."""
    records = json.loads(body)
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        raise ValueError("activity messages hold a JSON list of objects")
    return records
