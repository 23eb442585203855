"""The live look needs no right on any queue: a user for it can do no harm."""

import base64
import json
import urllib.request
from urllib.parse import urlsplit, urlunsplit

import pika
from tests.cluster.rabbit import Rabbit

from imagemill_operator.depth import LiveReading
from imagemill_operator.live import LiveDepth


def put(broker: Rabbit, path: str, body: dict[str, str]) -> None:
    parts = urlsplit(broker.management_url)
    user, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(
        urlunsplit(parts._replace(netloc=host, path=path)),
        data=json.dumps(body).encode(),
        method="PUT",
        headers={
            "Authorization": f"Basic {base64.b64encode(user.encode()).decode()}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=60):
        pass


def test_a_user_without_any_permission_may_look(broker: Rabbit) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(broker.amqp_url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("looked.at", durable=True)
    channel.basic_publish("", "looked.at", b"x")
    put(broker, "/api/users/looker", {"password": "looks", "tags": ""})
    put(broker, "/api/permissions/%2F/looker", {"configure": "^$", "write": "^$", "read": "^$"})
    parts = urlsplit(broker.amqp_url)
    live = LiveDepth(urlunsplit(parts._replace(netloc=f"looker:looks@{parts.netloc.rpartition('@')[2]}")), 60.0)
    try:
        assert live.look([("/", "looked.at")]) == ({("/", "looked.at"): LiveReading(1)}, [])
    finally:
        live.close()
        channel.queue_delete("looked.at")
        connection.close()
