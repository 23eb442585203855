"""How the API has a recipe tried on an original: a worker of the recipe's pool does it, and nothing is stored.

Trials wait in queues of their own, a few and not for long. Who takes one says at once that it has begun, and later
sends the result, or why there is none. A trial that got lost is asked for again by whoever still wants it.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel

from imagemill.domain.images import ImageInfo
from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.reading import reads_messages

TYPE = "trial"
Kind = Literal["begun", "made", "failed"]
_ID, _KIND, _FACTS = "trial", "kind", "facts"
# RabbitMQ 4 closes the channel of a message above 16 MiB.
RESULT_MAX_BYTES = 8 * 1024 * 1024


class TrialRequest(BaseModel):
    """Which recipe is to be tried on which original; the steps travel with it, as those of a job do."""

    id: str
    original: ImageInfo
    recipe: str
    recipe_steps: str
    reply_to: str = ""


class TrialFacts(BaseModel):
    """What came of it: facts about the result, and the seconds of work.

    `is_preview`: the result is too large to be sent, so that the bytes are those of its preview.
    """

    result: ImageInfo
    seconds: float
    is_damaged: bool = False
    is_preview: bool = False


class TrialFailure(BaseModel):
    """Why there is no result, as a job with this recipe would have failed."""

    code: str
    reason: str


@dataclass(frozen=True)
class TrialReply:
    """`made` has facts and bytes, `failed` a failure, `begun` neither."""

    id: str
    kind: Kind
    facts: TrialFacts | TrialFailure | None = None
    data: bytes = b""

    @property
    def has_begun(self) -> bool:
        """Does it only say that a worker has begun?"""
        return self.kind == "begun"


def request_message(request: TrialRequest, pool: str) -> Outgoing:
    """To the workers of a pool."""
    body = request.model_dump_json(exclude={"reply_to"}).encode()
    return Outgoing(
        topology.IMAGES, topology.trials_queue(pool), body=body, type=TYPE, content_type="application/json",
        message_id=request.id, reply_to=request.reply_to, durable=False,
    )  # fmt: skip


@reads_messages
def parse_request(delivery: Delivery) -> TrialRequest:
    """Read the message; raises ValueError."""
    request = TrialRequest.model_validate_json(delivery.body)
    if not delivery.properties.reply_to:
        raise ValueError("a trial must say where the answer goes")
    return request.model_copy(update={"reply_to": str(delivery.properties.reply_to)})


def reply_message(reply: TrialReply, reply_to: str) -> Outgoing:
    """Straight to the API process that asked."""
    headers = {_ID: reply.id, _KIND: reply.kind}
    if reply.facts is not None:
        headers[_FACTS] = reply.facts.model_dump_json()
    return Outgoing(
        topology.REPLIES, reply_to, body=reply.data, headers=headers, type=TYPE, mandatory=False, durable=False
    )


@reads_messages
def parse_reply(delivery: Delivery) -> TrialReply:
    """Read an answer; raises ValueError."""
    identifier, kind = delivery.headers.get(_ID), delivery.headers.get(_KIND)
    if not isinstance(identifier, str) or kind not in get_args(Kind):
        raise ValueError("an answer to a trial must name the trial and say what came of it")
    text = str(delivery.headers.get(_FACTS, ""))
    if kind == "made":
        return TrialReply(identifier, kind, TrialFacts.model_validate_json(text), delivery.body)
    if kind == "failed":
        return TrialReply(identifier, kind, TrialFailure.model_validate_json(text))
    return TrialReply(identifier, "begun")
