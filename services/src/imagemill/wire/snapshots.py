"""A snapshot of a camera: somebody asks, its reader answers with the newest frame. Unasked, nothing is sent."""

from dataclasses import dataclass

from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.reading import reads_messages

SNAPSHOT = "look"
_CAMERA, _WIDTH, _AT = "camera", "width", "at"


@dataclass(frozen=True)
class SnapshotRequest:
    """The question; `width` 0 wants the frame as it is, else it may be made smaller, but not below."""

    camera: str
    width: int
    reply_to: str = ""


@dataclass(frozen=True)
class Snapshot:
    """The answer, a picture; `at` is when it was taken, in seconds since the epoch."""

    camera: str
    width: int
    at: float
    data: bytes


def snapshot_request_message(request: SnapshotRequest) -> Outgoing:
    """To all readers; those that do not hold the camera say nothing."""
    headers = {_CAMERA: request.camera, _WIDTH: request.width}
    return Outgoing(
        topology.SNAPSHOTS,
        "",
        headers=headers,
        type=SNAPSHOT,
        reply_to=request.reply_to,
        mandatory=False,
        durable=False,
    )


@reads_messages
def snapshot_request_of(delivery: Delivery) -> SnapshotRequest:
    """Reads a question; raises ValueError when it is none."""
    headers, reply_to = delivery.headers, delivery.properties.reply_to
    if not headers.get(_CAMERA) or not reply_to:
        raise ValueError("a snapshot request must name its camera and where the answer goes")
    return SnapshotRequest(str(headers[_CAMERA]), int(headers.get(_WIDTH, 0)), str(reply_to))


def snapshot_message(snapshot: Snapshot, reply_to: str) -> Outgoing:
    """Straight to the API process that asked."""
    headers = {_CAMERA: snapshot.camera, _WIDTH: snapshot.width, _AT: repr(snapshot.at)}
    return Outgoing(
        topology.REPLIES, reply_to, body=snapshot.data, headers=headers, type=SNAPSHOT, mandatory=False, durable=False
    )


@reads_messages
def snapshot_of(delivery: Delivery) -> Snapshot:
    """Reads an answer; raises ValueError when it is none."""
    headers = delivery.headers
    if not headers.get(_CAMERA) or not headers.get(_AT):
        raise ValueError("a snapshot must name its camera and its time")
    return Snapshot(str(headers[_CAMERA]), int(headers.get(_WIDTH, 0)), float(headers[_AT]), delivery.body)
