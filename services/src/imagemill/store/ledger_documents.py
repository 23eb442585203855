"""The ledger's documents, and what is made of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.domain.erasures import Erasure
from imagemill.domain.images import Counts, Image, Job, Outcome
from imagemill.store.couch import Document

BESIDE_JOB = ("outcome", "erasure")


def document(kind: str, doc_id: str, fields: Mapping[str, Any]) -> Document:
    """A record as a document of its kind."""
    return {"_id": f"{kind}:{doc_id}", "type": kind, **fields}


def outcome_document(outcome: Outcome) -> Document:
    """An outcome as a document."""
    return document("outcome", outcome.id, outcome.model_dump(mode="json"))


def image_of(found: Mapping[str, Document], job_id: str) -> Image:
    """A job with what is beside it, out of documents by id."""
    outcome, erasure = (found.get(f"{kind}:{job_id}") for kind in BESIDE_JOB)
    return Image(
        job=Job.model_validate(found[f"job:{job_id}"]),
        outcome=Outcome.model_validate(outcome) if outcome else None,
        erasure=Erasure.model_validate(erasure) if erasure else None,
    )


def counts_in(values: Sequence[int]) -> Counts:
    """A row of the view of counts."""
    names = ("accepted", "rejected", "stored", "duplicates", "failed", "damaged", "erased")
    return Counts(**dict(zip(names, values, strict=True)))
