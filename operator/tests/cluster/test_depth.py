"""Numbers, empty, unknown: what a broker's text means."""

from imagemill_operator.depth import (
    BrokerReading,
    LiveAlone,
    LiveReading,
    QueueKind,
    QueueName,
    QueueReading,
    acked_of,
    backlog_of,
    consumers_of,
    merge,
    read_detailed,
    read_list,
    untold_of,
    useful_replicas_of,
)
from imagemill_operator.policy import Backlog

QUEUE = ("/", "work.a")
LEADER = """\
# TYPE rabbitmq_detailed_queue_messages_ready gauge
rabbitmq_detailed_queue_messages_ready{vhost="/",queue="work.a"} 12
rabbitmq_detailed_queue_messages_unacked{vhost="/",queue="work.a"} 3
rabbitmq_detailed_queue_messages{vhost="/",queue="work.a"} 15
rabbitmq_detailed_queue_consumers{vhost="/",queue="work.a"} 2
rabbitmq_detailed_queue_messages_ready{vhost="/",queue="half told"} 9
rabbitmq_detailed_queue_info{vhost="/",queue="work.a",queue_type="rabbit_quorum_queue",membership="leader"} 1
rabbitmq_detailed_queue_messages_acked_total{vhost="/",queue="work.a"} 400
rabbitmq_build_info{rabbitmq_version="4.1.0"} 1
"""
FOLLOWER = """\
rabbitmq_detailed_queue_messages_ready{vhost="/",queue="work.a"} 900
rabbitmq_detailed_queue_messages_unacked{vhost="/",queue="work.a"} 900
rabbitmq_detailed_queue_info{vhost="/",queue="work.a",queue_type="rabbit_quorum_queue",membership="follower"} 1
rabbitmq_detailed_queue_messages_acked_total{vhost="/",queue="work.a"} 50
"""


def test_a_node_tells_its_queues() -> None:
    reading = read_detailed(LEADER, "n1")
    assert reading.queues == {QUEUE: QueueReading(12, 3, 2)}


def test_what_a_follower_still_tells_of_old_days_is_passed_over() -> None:
    whole = merge([read_detailed(LEADER, "n1"), read_detailed(FOLLOWER, "n2")])
    assert backlog_of([QUEUE], whole) == Backlog(12, 3)


def test_the_consumers_of_all_queues_count_unless_nobody_tells() -> None:
    reading = BrokerReading(queues={QUEUE: QueueReading(12, 3, 2), ("/", "b"): QueueReading(0, 0, 3)})
    assert consumers_of([QUEUE, ("/", "b"), ("/", "missing")], reading) == 5
    assert consumers_of([QUEUE], BrokerReading(queues={QUEUE: QueueReading(12, 3)})) is None


def test_acknowledgements_of_all_nodes_count() -> None:
    whole = merge([read_detailed(LEADER, "n1"), read_detailed(FOLLOWER, "n2")])
    assert sum(acked_of([QUEUE], whole).values()) == 450


def test_channels_have_counters_of_their_own() -> None:
    text = "\n".join(
        f'rabbitmq_detailed_channel_messages_acked_total{{channel="<0.{n}.0>",vhost="/",queue="work.a"}} {n}'
        for n in (1, 2)
    )
    assert sorted(acked_of([QUEUE], read_detailed(text, "n1")).values()) == [1, 2]


def test_streams_and_single_consumers_are_known_as_such() -> None:
    info = (
        'rabbitmq_detailed_queue_info{vhost="/",queue="log",queue_type="rabbit_stream_queue",membership="leader"} 1\n'
    )
    assert read_detailed(LEADER + info, "n1").kinds == {QUEUE: QueueKind(), ("/", "log"): QueueKind(is_stream=True)}
    listed = [
        {"vhost": "/", "name": "log", "type": "stream", "arguments": {"x-queue-type": "stream"}},
        {"vhost": "/", "name": "work.a", "type": "quorum", "arguments": {"x-single-active-consumer": True}},
    ]
    whole = merge([read_detailed(LEADER + info, "n1"), read_list(listed)])
    assert whole.kinds == {QUEUE: QueueKind(has_single_consumer=True), ("/", "log"): QueueKind(is_stream=True)}
    assert useful_replicas_of([QUEUE], whole) == 1
    assert useful_replicas_of([QUEUE, ("/", "work.b")], whole) is None


def test_a_missing_queue_is_unknown_and_not_empty() -> None:
    reading = read_detailed(LEADER, "n1")
    assert backlog_of([("/", "work.b")], reading) is None
    assert backlog_of([], BrokerReading()) is None
    assert backlog_of([QUEUE, ("/", "work.b")], reading) == Backlog(12, 3), "the part that is known"
    assert untold_of([QUEUE, ("/", "work.b")], reading) == "queue work.b"


def test_the_live_look_only_adds() -> None:
    stale = BrokerReading(queues={QUEUE: QueueReading(0, 0)}, live={QUEUE: LiveReading(300)})
    assert backlog_of([QUEUE], stale) == Backlog(300, 0)
    leaderless = BrokerReading(queues={QUEUE: QueueReading(40, 0)}, live={QUEUE: LiveReading(0)})
    assert backlog_of([QUEUE], leaderless) == Backlog(40, 0)
    assert backlog_of([QUEUE], BrokerReading(live={QUEUE: LiveReading(0)})) is None
    assert backlog_of([QUEUE], BrokerReading(live={QUEUE: LiveReading(5)})) == Backlog(5, 0)


def test_names_with_quotes_and_lines_that_are_no_samples_are_read() -> None:
    name = 'we"ird\\queue'
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    text = (
        f'rabbitmq_detailed_queue_messages_ready{{vhost="a",queue="{escaped}"}} 1.0\n'
        f'rabbitmq_detailed_queue_messages_unacked{{vhost="a",queue="{escaped}"}} 2 1700000000\n'
        "rabbitmq_detailed_queue_messages_ready{} nonsense\n"
    )
    assert read_detailed(text, "n").queues == {("a", name): QueueReading(1, 2)}


def test_where_nothing_else_tells_an_empty_queue_is_believed_when_it_is_consumed_or_stays_empty() -> None:
    alone, other = LiveAlone(), ("/", "work.b")

    def told(now: float, live: dict[QueueName, LiveReading]) -> dict[QueueName, QueueReading]:
        reading = BrokerReading(live=live)
        alone.believe(reading, now)
        return reading.queues

    consumed, perhaps_leaderless = LiveReading(0, 7), LiveReading(0, 0)
    assert told(100.0, {QUEUE: consumed, other: perhaps_leaderless}) == {QUEUE: QueueReading(0, 0, 7)}
    assert told(129.0, {other: perhaps_leaderless}) == {}
    assert told(130.0, {other: perhaps_leaderless}) == {other: QueueReading(0, 0, 0)}
    assert told(132.0, {other: LiveReading(5)}) == {other: QueueReading(5, 0, 0)}
    assert told(134.0, {other: perhaps_leaderless}) == {}
