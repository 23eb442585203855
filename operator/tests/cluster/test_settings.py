"""The environment, and what is wrong with it."""

import pytest

from imagemill_operator.settings import Settings

BROKER = {"IMAGEMILL_BROKER_METRICS_URL": "http://mq-0:15692/, http://mq-1:15692"}


def test_several_broker_nodes_may_be_named() -> None:
    settings = Settings.from_env(BROKER)
    assert settings.broker_metrics_urls == ("http://mq-0:15692", "http://mq-1:15692")
    assert (settings.tick_seconds, settings.listen_port, settings.namespace) == (2.0, 8080, "default")


def test_two_operators_on_one_machine_have_identities_of_their_own() -> None:
    assert Settings.from_env(BROKER).identity != Settings.from_env(BROKER).identity
    assert Settings.from_env({**BROKER, "POD_NAME": "operator-1"}).identity == "operator-1"


def test_where_pools_name_their_brokers_the_operator_needs_none() -> None:
    settings = Settings.from_env({"IMAGEMILL_BROKER_SECRETS": "rabbit, other"})
    assert settings.broker_secrets == {"rabbit", "other"}
    assert not settings.has_broker


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({}, "no broker is given: set IMAGEMILL_BROKER_METRICS_URL"),
        ({"AMQP_URL": "rabbit:5672"}, "AMQP_URL cannot be used: it must be like amqp://user:password@host:5672/vhost"),
        ({"AMQP_URL": "amqp://rabbit:port/"}, "AMQP_URL cannot be used"),
        ({**BROKER, "IMAGEMILL_TICK_SECONDS": "often"}, "IMAGEMILL_TICK_SECONDS is 'often': it must be a number"),
        ({**BROKER, "IMAGEMILL_TICK_SECONDS": "0"}, "IMAGEMILL_TICK_SECONDS is 0: it must be greater than 0"),
    ],
)
def test_what_is_wrong_is_named(env: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings.from_env(env)
