"""Pools that are renamed or removed take no pictures with them."""

import json

import pika
from pika.exceptions import ChannelClosedByBroker

from broker_faults import waiting_messages
from mill import Mill, adds_up, wait_for
from pipeline.test_faults import jpegs

BEFORE = json.dumps({"default": ["*"], "heavy": ["denoise", "edges"]})
AFTER = json.dumps({"default": ["*"], "slow": ["denoise"]})


def is_there(amqp_url: str, queue: str) -> bool:
    try:
        return waiting_messages(amqp_url, queue) >= 0
    except ChannelClosedByBroker:
        return False


def test_what_waits_in_the_queue_of_a_removed_pool_goes_to_the_pools_that_are_there(
    own_mill: Mill, amqp_url: str
) -> None:
    own_mill.start("writer", "api", pools=BEFORE)
    own_mill.accepted(*jpegs(2), recipe="denoise")
    own_mill.accepted(*jpegs(3), recipe="edges")
    # The writer remembers its pools in a round that comes soon.
    wait_for(lambda: "recipes" in pools_document(own_mill), "the pools to be remembered")
    own_mill.stop("writer")
    own_mill.stop("api")
    own_mill.start("writer", "api", pools=AFTER)
    wait_for(lambda: not is_there(amqp_url, "work.heavy"), "the old queue to be gone")
    # A broker that is busy tells 0 of a queue which does not answer it in time.
    queues = ("work.slow", "work.default")
    wait_for(lambda: [waiting_messages(amqp_url, queue) for queue in queues] == [2, 3], "the messages in other queues")
    own_mill.accepted(*jpegs(1), recipe="edges")
    wait_for(lambda: waiting_messages(amqp_url, "work.default") == 4, "the next one behind them")
    own_mill.start("worker", pools=AFTER)
    own_mill.start("worker:2", pools=AFTER, pool="slow")
    counts = own_mill.all_ended()
    assert (counts["stored"], counts["failed"]) == (6, 0)
    assert adds_up(counts)


def test_a_queue_of_a_removed_pool_which_a_worker_still_consumes_stays(own_mill: Mill, amqp_url: str) -> None:
    own_mill.start("writer", "api", pools=BEFORE)
    wait_for(lambda: "recipes" in pools_document(own_mill), "the pools to be remembered")
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        connection.channel().basic_consume("work.heavy", lambda *_: None)
        own_mill.stop("writer")
        own_mill.start("writer", pools=AFTER)
        wait_for(lambda: "not removed yet" in own_mill.log("writer"), "the writer to try")
        assert is_there(amqp_url, "work.heavy")


def pools_document(mill: Mill) -> str:
    return mill.couch_document("state", "pools")
