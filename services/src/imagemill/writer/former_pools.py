"""Pools that are not in the settings any more: nothing new goes to their queues, and what waits there goes on."""

from collections.abc import Iterable, Mapping

import pika
import structlog
from pika.adapters.blocking_connection import BlockingChannel

from imagemill.concurrency.heartbeat import beat
from imagemill.store.couch import Couch, Document
from imagemill.wire import declaring, topology
from imagemill.wire.broker import Broker, BrokerUnavailable, Outgoing, Unroutable

log = structlog.get_logger(__name__)

_ID = "pools"
_MOVED_PER_ROUND = 1000


class FormerPools:
    """Remembers in CouchDB which recipes went to which pool; call `round` now and then.

    A queue of a former pool is unbound, its messages are published again, to the pool which works on their recipe now,
    and when it is empty it is removed.
    """

    def __init__(
        self, couch: Couch, broker: Broker, parameters: pika.ConnectionParameters, pools: Mapping[str, Iterable[str]]
    ) -> None:
        self._state, self._broker, self._parameters = couch.database("state"), broker, parameters
        self._pools = {pool: sorted(recipes) for pool, recipes in pools.items()}

    def round(self) -> bool:
        """Returns whether there are former pools left. Raises StoreUnavailable, Conflict, AMQPError."""
        document: Document = self._state.get(_ID) or {"_id": _ID, "recipes": {}}
        known: dict[str, list[str]] = document["recipes"]
        former = {pool: recipes for pool, recipes in known.items() if pool not in self._pools}
        emptied = {pool for pool, recipes in former.items() if self._is_emptied(pool, recipes)}
        left = {pool: recipes for pool, recipes in former.items() if pool not in emptied}
        wanted = {pool: sorted({*known.get(pool, []), *recipes}) for pool, recipes in self._pools.items()} | left
        if wanted != known:
            self._state.put({**document, "recipes": wanted})
        return bool(left)

    def _is_emptied(self, pool: str, recipes: Iterable[str]) -> bool:
        queue = topology.work_queue(pool)
        if declaring.absent_at(self._parameters, [queue]):
            return True
        return declaring.at(self._parameters, lambda channel: self._empty(channel, pool, recipes))

    def _empty(self, channel: BlockingChannel, pool: str, recipes: Iterable[str]) -> bool:
        queue = topology.work_queue(pool)
        for recipe in recipes:
            channel.queue_unbind(queue, topology.IMAGES, topology.image_key(recipe))
        for _ in range(_MOVED_PER_ROUND):
            beat()
            method, properties, body = channel.basic_get(queue)
            if method is None:
                break
            try:
                self._broker.publish(_again(method.routing_key, properties, body))
            except (BrokerUnavailable, Unroutable) as error:
                log.warning("not moved yet", queue=queue, error=str(error))
                return False  # with this channel it goes back
            channel.basic_ack(method.delivery_tag)
        else:
            return False
        # Quorum queues know no removal on conditions; nothing new comes, and without consumers nothing comes back.
        found = channel.queue_declare(queue, passive=True).method
        if found.consumer_count or found.message_count:
            log.warning("not removed yet: workers still consume from it", queue=queue, consumers=found.consumer_count)
            return False
        channel.queue_delete(queue)
        channel.queue_delete(topology.trials_queue(pool))
        log.warning("the queue of a pool that is not in the settings any more was emptied and removed", queue=queue)
        return True


def _again(key: str, properties: pika.BasicProperties, body: bytes) -> Outgoing:
    """The message as it was, for whatever pool works on it now."""
    return Outgoing(
        topology.IMAGES, key, body, headers=dict(properties.headers or {}), message_id=properties.message_id,
        type=properties.type, content_type=properties.content_type, reply_to=properties.reply_to,
        priority=properties.priority,
    )  # fmt: skip
