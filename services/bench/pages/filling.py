"""A ledger of many pictures, written in bulk: documents alone, no pixels."""

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import requests

from imagemill import recipes
from imagemill.domain.failures import Resolution
from imagemill.domain.ids import floor_at, timestamp, with_time_of
from imagemill.domain.images import ImageInfo, Job, Outcome, Rejection, TraceStep
from imagemill.process.stores import Stores
from imagemill.store.watermark import Watermark

_BULK = 2000
_DAYS = 30
_DAY_SECONDS = 86_400
_END_SECONDS = 1_795_000_000  # of the ledger's time: all sizes end at the same moment
_IN_FLIGHT = 20
_A_BATCH = 500
_CODES = ("undecodable", "crashed", "step-failed", "original-missing")
_TIMEOUT_SECONDS = 600

Document = dict[str, Any]


class Filling:
    """What a ledger of `size` pictures holds: of 33 pictures one failed, and of those a third was discarded."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.ids = [self._id(number) for number in range(size)]
        self._job, self._outcome = _job(self.ids[0]), _outcome(self.ids[0])

    def batch(self, number: int) -> str:
        """The batch of a picture."""
        return f"trip-{number // _A_BATCH:05d}"

    def write(self, stores: Stores, url: str) -> None:
        """Write all of it, and have the views made."""
        with requests.Session() as session:
            for database, documents in (("ledger", self.ledger()), ("resolutions", self.resolutions())):
                self._bulk(session, f"{url}/{stores.couch.prefix}-{database}/_bulk_docs", documents)
        Watermark(stores.couch).raise_to(self.ids[-min(_IN_FLIGHT, self.size)])

    def _bulk(self, session: requests.Session, address: str, documents: Iterator[Document]) -> None:
        while portion := list(islice(documents, _BULK)):
            body = json.dumps({"docs": portion}).encode()
            answer = session.post(address, body, headers={"Content-Type": "application/json"}, timeout=_TIMEOUT_SECONDS)
            answer.raise_for_status()

    def _id(self, number: int) -> str:
        age_seconds = _DAYS * _DAY_SECONDS * (self.size - number) / self.size
        return with_time_of(floor_at(_END_SECONDS - age_seconds), hashlib.sha256(str(number).encode()).hexdigest())

    def ledger(self) -> Iterator[Document]:
        """Jobs, outcomes and rejections."""
        for number, image in enumerate(self.ids):
            batch = self.batch(number)
            yield {**self._job, "_id": f"job:{image}", "id": image, "batch": batch, "name": f"IMG_{number:07d}.jpg"}
            if number < self.size - _IN_FLIGHT:
                yield {**self._outcome, **self._end(number), "_id": f"outcome:{image}", "id": image, "batch": batch}
            if number % 100 == 0:
                yield _rejection(image, batch)

    def _end(self, number: int) -> Document:
        if not self.has_failed(number):
            return {}
        code = _CODES[number // 33 % len(_CODES)]
        return {"status": "failed", "result": None, "code": code, "reason": "Its pixels cannot be read."}

    @staticmethod
    def has_failed(number: int) -> bool:
        """Is it one of those that failed?"""
        return number % 33 == 1

    def resolutions(self) -> Iterator[Document]:
        """What was discarded."""
        for number, image in enumerate(self.ids):
            if self.has_failed(number) and number // 33 % 3 == 0 and number < self.size - _IN_FLIGHT:
                found = Resolution(id=image, batch=self.batch(number), kind="discarded", at=timestamp(), by="bench")
                yield {"_id": image, **found.model_dump(mode="json", exclude={"id"})}


def _info(data: str) -> ImageInfo:
    sha256 = hashlib.sha256(data.encode()).hexdigest()
    return ImageInfo(sha256=sha256, bytes=140_000, width=1920, height=1080, content_type="image/jpeg")


def _job(image: str) -> Document:
    recipe = recipes.load(None)["gray"]
    job = Job(
        id=image, batch="", name="", recipe=recipe.name, recipe_steps=recipe.canonical, recipe_digest=recipe.digest,
        original=_info("original"), accepted_at=timestamp(), by="api-1",
    )  # fmt: skip
    return {"type": "job", **job.model_dump(mode="json")}


def _outcome(image: str) -> Document:
    steps = ("accepted", "taken", "done", "stored")
    trace = [TraceStep(step=step, at=timestamp(), by="worker-1") for step in steps]
    outcome = Outcome(id=image, batch="", recipe="gray", status="stored", result=_info("result"), trace=trace)
    return {"type": "outcome", **outcome.model_dump(mode="json")}


def _rejection(image: str, batch: str) -> Document:
    rejected = Rejection(
        id=image, batch=batch, name="notes.txt", code="not-an-image", detail="It is no picture.", at=timestamp()
    )
    return {"_id": f"rejection:{image}", "type": "rejection", **rejected.model_dump(mode="json")}
