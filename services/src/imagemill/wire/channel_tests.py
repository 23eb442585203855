"""How the API asks the alerter, which alone knows the channels' secrets, to test one."""

import json

from imagemill.wire import topology
from imagemill.wire.broker import Outgoing

TYPE = "channel-test"


def request_message(identifier: str, channel: str) -> Outgoing:
    """The request; the answer is a document of that id in the database of alerts."""
    body = json.dumps({"id": identifier, "channel": channel}).encode()
    return Outgoing(topology.EVENTS, f"alerter.{TYPE}", body=body, type=TYPE, content_type="application/json")


def answer_id(identifier: str) -> str:
    """The document with the answer."""
    return f"test:{identifier}"
