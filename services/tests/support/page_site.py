"""A ledger with one picture of each kind, and the page over it."""

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import pictures
from imagemill import recipes
from imagemill.api.services import Services
from imagemill.domain.blobs import sha256
from imagemill.domain.ids import timestamp, uuid7
from imagemill.domain.images import ImageInfo, Job, Outcome, Rejection, TraceStep
from mill import form_token

HOSTILE = "<img src=x onerror=alert(1)>\"'.png"
BATCH = "holiday"


@dataclass
class Site:
    """The page over a filled ledger; ids of its pictures by what became of them."""

    client: FlaskClient
    services: Services
    ids: dict[str, str]

    def html(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == status, answer.text
        return answer.text.replace("<wbr>", "")  # where a line to paste may be broken

    def post(self, path: str, form: dict[str, Any]) -> TestResponse:
        """A form, as the page sends it."""
        return self.client.post(path, data={"form_token": form_token(self.html("/")), **form})


def filled(services: Services) -> dict[str, str]:
    original = _stored(services, pictures.png(64, 48), "image/png", 64, 48)
    broken = _stored(services, pictures.bomb_png_header(400, 300), "image/png", 400, 300)
    result = _stored(services, pictures.png(32, 24), "image/png", 32, 24)
    jobs = {
        "stored": _job(HOSTILE, "gray", original),
        "duplicate": _job("again.png", "gray", original),
        "failed": _job("broken.png", "edges", broken),
        "in_flight": _job("waiting.png", "denoise", original),
    }
    outcomes = [
        _outcome(jobs["stored"], result=result),
        _outcome(jobs["duplicate"], result=result, duplicate=True),
        _outcome(jobs["failed"], code="undecodable", reason="Its pixel data is damaged."),
    ]
    rejection = Rejection(
        id=uuid7(), batch=BATCH, name="notes.jpg", code="not-an-image", detail="The file is not a picture.",
        at=timestamp(),
    )  # fmt: skip
    services.stores.ledger.accept(list(jobs.values()), outcomes, [rejection])
    return {kind: job.id for kind, job in jobs.items()}


def of_failure(name: str, batch: str = "portions") -> Job:
    """A job whose original nobody has."""
    info = ImageInfo(sha256="f" * 64, bytes=1, width=1, height=1, content_type="image/png")
    return _job(name, "gray", info).model_copy(update={"batch": batch})


def failed_outcome(job: Job) -> Outcome:
    """How it failed."""
    return _outcome(job, code="undecodable", reason="Its pixel data is damaged.")


def _stored(services: Services, data: bytes, content_type: str, width: int, height: int) -> ImageInfo:
    services.stores.blobs.put(sha256(data), data, content_type)
    return ImageInfo(sha256=sha256(data), bytes=len(data), width=width, height=height, content_type=content_type)


def _job(name: str, recipe_name: str, original: ImageInfo) -> Job:
    recipe = recipes.load(None)[recipe_name]
    return Job(
        id=uuid7(), batch=BATCH, name=name, recipe=recipe.name, recipe_steps=recipe.canonical,
        recipe_digest=recipe.digest, original=original, accepted_at="2026-11-21T09:15:03.000Z", by="api-1",
    )  # fmt: skip


def _outcome(job: Job, result: ImageInfo | None = None, **more: Any) -> Outcome:
    times = {"taken": "013", "done": "031", "stored": "073"}
    second = "2026-11-21T09:15:03"
    marks = [TraceStep(step=step, at=f"{second}.{ms}Z", by="worker-7", attempt=2) for step, ms in times.items()]
    return Outcome(
        id=job.id, batch=job.batch, recipe=job.recipe, status="stored" if result else "failed", result=result,
        trace=[job.accepted_step(), *marks], **more,
    )  # fmt: skip
