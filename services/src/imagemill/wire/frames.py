"""Frames of cameras, and pictures posted with a source, on their way to the analyzer."""

from dataclasses import dataclass

from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.reading import reads_messages

_KEY_LETTERS = 50
_SOURCE, _SEQUENCE, _GENERATION, _AT = "source", "sequence", "generation", "at"


@dataclass(frozen=True)
class SourceFrame:
    """A picture of a source. `at`: seconds since the epoch.

    `sequence` counts a reader's frames, so that gaps show; `generation` grows with every reader that takes the source
    over. Pictures that were posted have no sequence.
    """

    source: str
    sequence: int | None
    at: float
    data: bytes
    generation: int = 0


def frame_message(frame: SourceFrame) -> Outgoing:
    """As it is published: by source, so that one consumer sees all of them. A lost frame is not sent again."""
    sequence = {} if frame.sequence is None else {_SEQUENCE: frame.sequence, _GENERATION: frame.generation}
    # The time as text: AMQP's own floats do not pass through every client.
    headers = {_SOURCE: frame.source, _AT: repr(frame.at), **sequence}
    # The key, which is short in AMQP, only has to be the same for all frames of a source.
    key = frame.source[:_KEY_LETTERS]
    return Outgoing(
        topology.FRAMES, key, body=frame.data, headers=headers, type="frame", mandatory=False, durable=False
    )


@reads_messages
def frame_of(delivery: Delivery) -> SourceFrame:
    """Reads a frame; raises ValueError when it is none."""
    headers = delivery.headers
    if not headers.get(_SOURCE):
        raise ValueError("a frame must name its source")
    sequence = headers.get(_SEQUENCE)
    number = int(sequence) if sequence is not None else None
    return SourceFrame(
        str(headers[_SOURCE]), number, float(headers[_AT]), delivery.body, int(headers.get(_GENERATION, 0))
    )
