"""How the API has a camera tested by one camera reader, which alone may open what a person typed.

The request goes to all readers, since each has a queue of its own; the one that is named does it. It answers at once
that it has begun, or is busy, and later with the frame or the reason why there is none.
"""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from pydantic import BaseModel

from imagemill.domain.cameras import Camera
from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.reading import reads_messages

TYPE = "camera-test"
Kind = Literal["begun", "busy", "frame", "failed"]
_ID, _KIND = "test", "kind"


class CameraTestRequest(BaseModel):
    """Which reader is to read one frame of which camera (there is no secret in it)."""

    id: str
    reader: str
    camera: Camera
    reply_to: str = ""


@dataclass(frozen=True)
class CameraTestReply:
    """`data` is the frame as JPEG, or the sentence that says why there is none."""

    id: str
    kind: Kind
    data: bytes = b""

    @property
    def has_begun(self) -> bool:
        """Does it only say that the reader has begun?"""
        return self.kind == "begun"


def request_message(request: CameraTestRequest) -> Outgoing:
    """Make the message."""
    body = request.model_dump_json(exclude={"reply_to"}).encode()
    return Outgoing(
        topology.SNAPSHOTS, "", body=body, type=TYPE, content_type="application/json", reply_to=request.reply_to,
        mandatory=False, durable=False,
    )  # fmt: skip


@reads_messages
def parse_request(delivery: Delivery) -> CameraTestRequest:
    """Read the message; raises ValueError."""
    request = CameraTestRequest.model_validate_json(delivery.body)
    if not delivery.properties.reply_to:
        raise ValueError("a test of a camera must say where the answer goes")
    return request.model_copy(update={"reply_to": str(delivery.properties.reply_to)})


def reply_message(reply: CameraTestReply, reply_to: str) -> Outgoing:
    """Straight to the API process that asked."""
    headers = {_ID: reply.id, _KIND: reply.kind}
    return Outgoing(
        topology.REPLIES, reply_to, body=reply.data, headers=headers, type=TYPE, mandatory=False, durable=False
    )


@reads_messages
def parse_reply(delivery: Delivery) -> CameraTestReply:
    """Read an answer; raises ValueError."""
    identifier, kind = delivery.headers.get(_ID), delivery.headers.get(_KIND)
    if not isinstance(identifier, str) or kind not in get_args(Kind):
        raise ValueError("an answer to a test of a camera must name the test and say what came of it")
    return CameraTestReply(identifier, cast("Kind", kind), delivery.body)
