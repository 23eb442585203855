"""How the API asks the alerter, which alone knows the channels' secrets, to test one.

The answer is a document in the database of alerts.
"""

from pydantic import BaseModel

from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.reading import reads_messages

TYPE = "channel-test"


class ChannelTestRequest(BaseModel):
    """Which channel to test; the answer is kept under `id`."""

    id: str
    channel: str


def request_message(request: ChannelTestRequest) -> Outgoing:
    """Make the message."""
    body = request.model_dump_json().encode()
    return Outgoing(topology.EVENTS, f"alerter.{TYPE}", body=body, type=TYPE, content_type="application/json")


@reads_messages
def parse_request(delivery: Delivery) -> ChannelTestRequest | None:
    """Read the message; None when it is something else, ValueError when it cannot be read."""
    if delivery.properties.type != TYPE:
        return None
    return ChannelTestRequest.model_validate_json(delivery.body)
