"""A look at a camera: somebody asks, its reader answers with the newest frame. Unasked, nothing is sent."""

from dataclasses import dataclass

from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing

LOOK = "look"
_CAMERA, _WIDTH, _AT = "camera", "width", "at"


@dataclass(frozen=True)
class Look:
    """The question; `width` 0 wants the frame as it is, else it may be made smaller, but not below."""

    camera: str
    width: int
    reply_to: str = ""


@dataclass(frozen=True)
class Sight:
    """The answer, a picture; `at` is when it was taken, in seconds since the epoch."""

    camera: str
    width: int
    at: float
    data: bytes


def look_message(look: Look) -> Outgoing:
    """To all readers; those that do not hold the camera say nothing."""
    headers = {_CAMERA: look.camera, _WIDTH: look.width}
    return Outgoing(
        topology.LOOKS, "", headers=headers, type=LOOK, reply_to=look.reply_to, mandatory=False, durable=False
    )


def look_of(delivery: Delivery) -> Look:
    """Reads a question; raises ValueError when it is none."""
    headers, reply_to = delivery.headers, delivery.properties.reply_to
    if not headers.get(_CAMERA) or not reply_to:
        raise ValueError("a look must name its camera and where the answer goes")
    return Look(str(headers[_CAMERA]), int(headers.get(_WIDTH, 0)), str(reply_to))


def sight_message(sight: Sight, reply_to: str) -> Outgoing:
    """Straight to the API process that asked."""
    headers = {_CAMERA: sight.camera, _WIDTH: sight.width, _AT: repr(sight.at)}
    return Outgoing("", reply_to, body=sight.data, headers=headers, type=LOOK, mandatory=False, durable=False)


def sight_of(delivery: Delivery) -> Sight:
    """Reads an answer; raises ValueError when it is none."""
    headers = delivery.headers
    if not headers.get(_CAMERA) or not headers.get(_AT):
        raise ValueError("a sight must name its camera and its time")
    return Sight(str(headers[_CAMERA]), int(headers.get(_WIDTH, 0)), float(headers[_AT]), delivery.body)
