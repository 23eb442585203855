"""Erasing pictures, and taking it back while that can be done."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from imagemill.api.access.permissions import principal
from imagemill.api.images import failures
from imagemill.api.images.bytes_there import with_bytes
from imagemill.api.services import Services
from imagemill.api.web.problems import Problem
from imagemill.domain.erasures import MAX_NOTE_LENGTH, Erasure, Pin
from imagemill.domain.errors import Invalid
from imagemill.domain.ids import timestamp
from imagemill.domain.images import Image

MAX_AT_ONCE = 500
_HOUR_SECONDS = 3600.0
# Of a failure that nobody had answered: it is no open one any more, until the erasure is undone.
_NOTE_OF_FAILURE = "Erased."


@dataclass
class ErasureReport:
    """Pictures that are erased now, the earlier ones too, and why others are not."""

    erased: list[Erasure] = field(default_factory=list)
    refused: dict[str, Problem] = field(default_factory=dict)


def erase(mill: Services, images: Sequence[Image], note: str = "", at_once: bool = False) -> ErasureReport:
    """Erase pictures that came to their end; `at_once` without the time in which it can be undone."""
    _check_note(note)
    report = ErasureReport()
    pins = mill.stores.erasures.pins([image.job.id for image in images])
    for image in images:
        if refusal := _refusal(image, pins.get(image.job.id)):
            report.refused[image.job.id] = refusal
    ended = [image for image in images if image.job.id not in report.refused]
    new = [_erasure(mill, image, note, at_once) for image in ended if not image.erasure]
    _discard_failures(mill, [image for image in ended if image.status == "failed" and not image.erasure])
    added = set(mill.stores.erasures.add(new))
    report.erased = [image.erasure for image in ended if image.erasure] + new
    done = [erasure for erasure in new if erasure.id in added]
    for erasure in done:
        mill.activity.note("erased", erasure.id, batch=erasure.batch)
    if done:
        after = {"pictures": [erasure.id for erasure in done], "due": done[0].due, "note": note}
        mill.record("images.erase", _named([erasure.id for erasure in done]), after=after)
    return report


def _refusal(image: Image, pin: Pin | None) -> Problem | None:
    if image.outcome is None:
        sentence = "It is in flight; erase it once it is stored or failed."
        return Problem(409, "in-flight", sentence, image=image.job.id)
    if pin:
        sentence = f"It is pinned, by {pin.by} at {pin.at}; take the pin away first."
        return Problem(409, "pinned", sentence, image=image.job.id)
    return None


def pin(mill: Services, image: Image, note: str = "") -> Pin:
    """Keep a picture: it cannot be erased until the pin is taken away. Raises Problem for one that is erased."""
    _check_note(note)
    with_bytes(image)
    pins, job = mill.stores.erasures, image.job
    kept = Pin(id=job.id, batch=job.batch, at=timestamp(), by=principal().name, note=note)
    if not pins.pin(kept):
        return pins.pins([job.id]).get(job.id, kept)
    if erasure := pins.of([job.id]).get(job.id):
        # It was erased since it was looked at, and the eraser may not have seen the pin.
        pins.unpin(job.id)
        with_bytes(image.model_copy(update={"erasure": erasure}))
    mill.record("image.pin", job.id, after={"note": note})
    return kept


def unpin(mill: Services, image: Image) -> None:
    """Take a pin away."""
    if mill.stores.erasures.unpin(image.job.id):
        mill.record("image.unpin", image.job.id)


def _check_note(note: str) -> None:
    if len(note) > MAX_NOTE_LENGTH:
        raise Invalid(
            "bad-value", f"The note has {len(note):,} characters; at most {MAX_NOTE_LENGTH} are kept.", "note"
        )


def undo(mill: Services, images: Sequence[Image]) -> list[str]:
    """Take erasures back; returns the pictures that are served again."""
    erased = [image for image in images if image.erasure]
    gone = mill.stores.erasures.undo([image.job.id for image in erased], time.time())
    back = [image for image in erased if image.job.id in gone]
    answers = mill.stores.resolutions.of([image.job.id for image in back if image.status == "failed"])
    mill.stores.resolutions.reopen([one for one, answer in answers.items() if answer.note == _NOTE_OF_FAILURE])
    for image in back:
        mill.activity.note("unerased", image.job.id, batch=image.job.batch)
    if gone:
        mill.record("images.unerase", _named(gone), before={"pictures": gone})
    return gone


def portion_of(mill: Services, batch: str, after: str | None) -> tuple[list[Image], str | None]:
    """The next pictures of a batch, and where to go on."""
    ids = mill.stores.ledger.listed_ids(batch, "accepted", MAX_AT_ONCE + 1, after)
    images = mill.stores.ledger.images(ids[:MAX_AT_ONCE])
    return images, ids[MAX_AT_ONCE - 1] if len(ids) > MAX_AT_ONCE else None


def each_portion(
    mill: Services, batch: str, after: str | None, limit: int, act: Callable[[list[Image]], int]
) -> tuple[int, str | None]:
    """Do it to a batch, so many portions of it at most; returns to how many pictures, and where to go on."""
    done = 0
    for _ in range(limit):
        images, after = portion_of(mill, batch, after)
        done += act(images)
        if after is None:
            break
    return done, after


def _erasure(mill: Services, image: Image, note: str, at_once: bool) -> Erasure:
    now = time.time()
    grace = 0.0 if at_once else mill.settings.erasure_grace_hours * _HOUR_SECONDS
    return Erasure(
        id=image.job.id, batch=image.job.batch, at=timestamp(now), by=principal().name, due=timestamp(now + grace),
        note=note,
    )  # fmt: skip


def _discard_failures(mill: Services, failed: Sequence[Image]) -> None:
    answered = mill.stores.resolutions.of([image.job.id for image in failed])
    open_ones = [image for image in failed if image.job.id not in answered]
    if open_ones:
        failures.discard(mill, open_ones, _NOTE_OF_FAILURE)


def _named(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{len(ids)} pictures"
