"""What travels through the broker: metadata in headers, bytes in the body while they are small."""

from dataclasses import dataclass, replace

from imagemill.domain.blobs import BlobStore, sha256
from imagemill.domain.images import ImageInfo, Job, Outcome
from imagemill.domain.previews import NONE, Previews, among, named
from imagemill.wire import topology
from imagemill.wire.broker import Delivery, Outgoing
from imagemill.wire.reading import reads_messages

_JOB = "job"
_OUTCOME = "outcome"
_CLAIM = "claim"
_REDRIVEN = "redriven"
_SUSPICIOUS = "suspicious"
# What is larger is read from its blob when the outcome is announced: a reply must not fill the API's queue, and
# RabbitMQ 4 closes the channel of a message above 16 MiB.
_REPLY_MAX_BYTES = 256 * 1024


class ClaimCheck:
    """Bytes ride in the body up to a limit; above it they are in a blob and the header holds its SHA-256.

    No other code knows which of the two it is.
    """

    def __init__(self, blobs: BlobStore, inline_max_bytes: int) -> None:
        self._blobs, self._limit = blobs, inline_max_bytes

    def check_in(
        self, message: Outgoing, data: bytes | None, info: ImageInfo, stored: bool, previews: Previews = NONE
    ) -> Outgoing:
        """The message with the bytes, or with the claim. `stored`: the blob is there; then data may be None.

        Previews go where the bytes go.
        """
        if data is not None and self.is_inline(data):
            return replace(message, body=data, extras=named(previews))
        if not stored and data is not None:
            self._blobs.put(info.sha256, data, info.content_type, previews)
        return message.with_headers(**{_CLAIM: info.sha256})

    def is_inline(self, data: bytes) -> bool:
        """Do the bytes ride in the message?"""
        return len(data) <= self._limit

    def check_out(self, delivery: Delivery) -> bytes:
        """The bytes; raises LookupError when the blob is gone, StoreUnavailable when it is not reached."""
        claim = delivery.headers.get(_CLAIM)
        return self._blobs.get(str(claim)) if claim else delivery.body

    def is_stored(self, delivery: Delivery) -> bool:
        """Are the bytes in a blob already?"""
        return _CLAIM in delivery.headers


@dataclass(frozen=True)
class WorkItem:
    """A job as a worker gets it.

    `redriven`: how often it was published again; it may have its outcome then. `suspicious`: it was given out before
    and not settled, so its worker may have died of it.
    """

    job: Job
    attempt: int
    redriven: int
    suspicious: bool
    reply_to: str | None


def work_message(
    job: Job,
    data: bytes | None,
    claims: ClaimCheck,
    reply_to: str | None = None,
    redriven: int = 0,
    suspicious: bool = False,
) -> Outgoing:
    """A picture on its way to the workers; its original is stored already. Without data the worker fetches it."""
    message = Outgoing(
        topology.IMAGES,
        topology.image_key(job.recipe),
        headers={_JOB: job.model_dump_json(), _REDRIVEN: redriven} | ({_SUSPICIOUS: True} if suspicious else {}),
        message_id=job.id,
        type=_JOB,
        content_type=job.original.content_type,
        reply_to=reply_to,
        priority=job.priority,
    )
    return claims.check_in(message, data, job.original, stored=True)


@reads_messages
def work_item(delivery: Delivery) -> WorkItem:
    """Reads a work message; raises ValueError when it is not one."""
    job = Job.model_validate_json(str(delivery.headers.get(_JOB, "")))
    redriven, failed = int(delivery.headers.get(_REDRIVEN, 0)), delivery.failed_deliveries
    # A broker that counts only crashed deliveries still marks what was given back.
    suspicious = failed > 0 or delivery.redelivered or bool(delivery.headers.get(_SUSPICIOUS))
    return WorkItem(job, 1 + redriven + failed, redriven, suspicious, delivery.properties.reply_to)


def result_message(job: Job, outcome: Outcome, data: bytes, claims: ClaimCheck, previews: Previews = NONE) -> Outgoing:
    """What a worker made of a picture, on its way to the writer; `data` is empty when it failed."""
    message = Outgoing(
        topology.RESULTS,
        topology.image_key(job.recipe),
        headers={_JOB: job.model_dump_json(), _OUTCOME: outcome.model_dump_json()},
        message_id=job.id,
        type=_OUTCOME,
        content_type=outcome.result.content_type if outcome.result else None,
    )
    if outcome.result is None:
        return message
    return claims.check_in(message, data, outcome.result, stored=False, previews=previews)


@reads_messages
def result_of(delivery: Delivery) -> tuple[Job, Outcome]:
    """Reads a result message; raises ValueError when it is not one."""
    job = Job.model_validate_json(str(delivery.headers.get(_JOB, "")))
    return job, Outcome.model_validate_json(str(delivery.headers.get(_OUTCOME, "")))


def previews_of(delivery: Delivery) -> Previews:
    """The previews that came with a result."""
    return among(delivery.headers)


def reply_message(reply_to: str, outcome: Outcome, data: bytes) -> Outgoing | None:
    """The same, straight to the API process whose request waits, which nobody misses if that is gone.

    None for a large result: the request is answered when the outcome is announced.
    """
    if len(data) > _REPLY_MAX_BYTES:
        return None
    return Outgoing(
        topology.REPLIES, reply_to, body=data, headers={_OUTCOME: outcome.model_dump_json()}, message_id=outcome.id,
        type="reply", mandatory=False, durable=False,
    )  # fmt: skip


def outcome_message(outcome: Outcome) -> Outgoing:
    """The news that a picture's outcome is in the ledger."""
    return Outgoing(
        topology.OUTCOMES,
        f"{outcome.status}.{outcome.recipe}",
        body=outcome.model_dump_json().encode(),
        headers={"batch": outcome.batch},
        message_id=outcome.id,
        type=_OUTCOME,
        content_type="application/json",
        mandatory=False,
        durable=False,
    )


@reads_messages
def announced(body: bytes) -> Outcome:
    """Reads an announcement."""
    return Outcome.model_validate_json(body)


def info_of(data: bytes, content_type: str, width: int, height: int) -> ImageInfo:
    """Facts about bytes."""
    return ImageInfo(sha256=sha256(data), bytes=len(data), width=width, height=height, content_type=content_type)
