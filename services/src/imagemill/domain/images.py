"""What is kept and sent: jobs, outcomes, rejections and counts. Their JSON is the wire and the document form."""

from typing import Literal

from pydantic import Field

from imagemill.domain.erasures import Erasure
from imagemill.domain.record import Record

Status = Literal["stored", "failed"]


class ImageInfo(Record):
    """Facts about a picture's bytes; `sha256` is also the id of its blob."""

    sha256: str
    bytes: int
    width: int
    height: int
    content_type: str


class TraceStep(Record):
    """One mark on a picture's way: `accepted`, `taken`, `done` or `stored`."""

    step: str
    at: str
    by: str
    attempt: int = 1


class Job(Record):
    """An accepted picture with the recipe it asks for."""

    id: str
    batch: str
    name: str
    recipe: str
    recipe_steps: str = Field(description="The recipe's canonical JSON: the job means this recipe for ever.")
    recipe_digest: str
    original: ImageInfo
    accepted_at: str
    by: str
    source: str | None = None
    priority: int = 0
    retry_of: str | None = None
    owner: str | None = Field(None, description="Whose it is: a token's id, or `user:<name>`; None on an open machine.")
    callback: str | None = Field(None, description="The receiver that is told of its outcome.")
    batch_callback: str | None = Field(None, description="The receiver that is told when its batch is complete.")

    @property
    def result_key(self) -> str:
        """The same original under the same recipe has the same result."""
        return f"{self.original.sha256}:{self.recipe_digest}"

    def accepted_step(self) -> TraceStep:
        """The first mark of the trace."""
        return TraceStep(step="accepted", at=self.accepted_at, by=self.by)


class Outcome(Record):
    """How a job ended: exactly one per job. `result` is None when it failed; then `code` and `reason` say why."""

    id: str
    batch: str
    recipe: str
    status: Status
    duplicate: bool = False
    code: str | None = None
    reason: str | None = None
    result: ImageInfo | None = None
    trace: list[TraceStep] = Field(default_factory=list)
    warnings: list[str] = Field(
        default_factory=list, description="What is to be said of a stored result: `damaged`, of its original."
    )


class KnownResult(Record):
    """The result of an original under a recipe, and the job which made it."""

    key: str
    job: str
    result: ImageInfo
    warnings: list[str] = Field(default_factory=list)


class Rejection(Record):
    """A picture refused at the door: it was offered, and not accepted."""

    id: str
    batch: str
    name: str
    code: str
    detail: str
    at: str


class Counts(Record):
    """The ledger's arithmetic: accepted = stored + failed + in flight, offered = accepted + rejected."""

    accepted: int = 0
    rejected: int = 0
    stored: int = 0
    duplicates: int = 0
    failed: int = 0
    damaged: int = 0
    """Of the stored ones those with a warning."""
    erased: int = 0
    """Of all with an outcome those that were erased; they still count as stored or failed."""
    answered: int = 0
    """Of the failed ones those that were retried or discarded; kept beside the ledger."""

    @property
    def failed_open(self) -> int:
        """Failed pictures that nobody has retried or discarded."""
        return max(self.failed - self.answered, 0)

    @property
    def offered(self) -> int:
        """All pictures that were answered with a verdict."""
        return self.accepted + self.rejected

    @property
    def in_flight(self) -> int:
        """Accepted pictures without an outcome yet."""
        return self.accepted - self.stored - self.failed


class Image(Record):
    """A picture's whole state, as the API tells it."""

    job: Job
    outcome: Outcome | None
    erasure: Erasure | None = None

    @property
    def needs_bytes(self) -> bool:
        """Are its bytes promised? Of one that was erased for good they are not."""
        return self.erasure is None or not self.erasure.releases_bytes

    @property
    def status(self) -> str:
        """`accepted` while it is in flight, else its outcome."""
        return self.outcome.status if self.outcome else "accepted"
