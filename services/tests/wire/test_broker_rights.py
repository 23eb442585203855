"""What the broker lets each program's user do: on a real one, as the chart and `make run` set it."""

import uuid
from pathlib import Path

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from imagemill.local.accounts import broker_accounts, make_broker_users
from imagemill.local.rabbit import RabbitServer
from imagemill.settings import Settings
from imagemill.store.rights import PROGRAMS
from imagemill.wire import declaring, topology
from imagemill.wire.rights import BROKER_RIGHTS
from wire.test_topology import RECIPES, chart_permissions

REFUSED, NOT_FOUND = 403, 404
QUEUES = [queue.name for queue in topology.shared(Settings(), RECIPES).queues]


@pytest.fixture
def addresses(rabbit: RabbitServer, amqp_url: str, vhost: str, tmp_path: Path) -> dict[str, str]:
    """Of each program's user, on a broker where everything is declared."""
    declaring.declare_at(pika.URLParameters(amqp_url), topology.shared(Settings(), RECIPES))
    make_broker_users(rabbit.management_url, (rabbit.user, rabbit.password), tmp_path, vhost)
    return {name: told["AMQP_URL"] for name, told in broker_accounts(amqp_url, tmp_path).items()}


def publishing(url: str, exchange: str, key: str, mandatory: bool = False) -> int | None:
    """With which code the broker refuses it; None when it takes it."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    try:
        channel.basic_publish(exchange, key, b"x", mandatory=mandatory)
    except ChannelClosedByBroker as error:
        return int(error.reply_code)
    finally:
        connection.close()
    return None


def test_the_chart_gives_the_same_rights() -> None:
    charts = {name: user for name, user in chart_permissions().items() if name != "operator"}
    assert charts == {name: vars(rights) for name, rights in BROKER_RIGHTS.items()}
    assert list(BROKER_RIGHTS) == list(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_publishes_to_a_queue_by_its_name(addresses: dict[str, str], program: str) -> None:
    assert publishing(addresses[program], "", "work.default") == REFUSED


def test_who_answers_reaches_the_queues_of_the_api_alone(addresses: dict[str, str]) -> None:
    instance = uuid.uuid4().hex[:8]
    name, own = topology.replica_queue(instance), topology.replica(instance)
    api = pika.BlockingConnection(pika.URLParameters(addresses["api"]))
    channel = api.channel()
    channel.queue_declare(name, exclusive=True, arguments=dict(own.arguments))
    for exchange, key in own.bindings:
        channel.queue_bind(name, exchange, key)
    for program in ("worker", "camera"):
        assert publishing(addresses[program], topology.REPLIES, name, mandatory=True) is None
        assert channel.basic_get(name, auto_ack=True)[2] == b"x"
        with pytest.raises(pika.exceptions.UnroutableError):
            publishing(addresses[program], topology.REPLIES, "work.default", mandatory=True)
    api.close()


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name != "writer"])
def test_no_program_but_the_writer_makes_binds_or_empties_a_shared_queue(
    addresses: dict[str, str], program: str
) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(addresses[program]))
    for attempt in (
        lambda channel: channel.queue_declare("work.mine", durable=True),
        lambda channel: channel.queue_bind("work.default", topology.IMAGES, "#"),
        lambda channel: channel.queue_delete("dead.default"),
        lambda channel: channel.exchange_delete(topology.REPLIES),
        lambda channel: channel.basic_get("results.0"),
    ):
        with pytest.raises(ChannelClosedByBroker) as refused:
            attempt(connection.channel())
        assert refused.value.reply_code == REFUSED
    connection.close()


def test_who_may_not_declare_waits_for_what_it_publishes_to(amqp_url: str) -> None:
    parameters = pika.URLParameters(amqp_url)
    with pytest.raises(ChannelClosedByBroker) as missing:
        declaring.check_at(parameters)
    assert missing.value.reply_code == NOT_FOUND
    declaring.declare_at(parameters, topology.shared(Settings(), RECIPES))
    declaring.check_at(parameters)
