"""From offered bytes to accepted jobs and rejections."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from imagemill.admission.validate import Header, Rejected, validate
from imagemill.api.access.permissions import owner, principal
from imagemill.api.access.rates import too_many_jobs
from imagemill.api.images.callbacks import NO_CALLBACKS, Callbacks
from imagemill.api.images.group_commit import NewJob
from imagemill.api.images.identity import Identity
from imagemill.api.images.offers import Offer
from imagemill.api.images.shares import TooManyInFlight
from imagemill.api.services import Services
from imagemill.api.web.problems import Problem, not_taken
from imagemill.domain.blobs import sha256
from imagemill.domain.ids import is_batch_name, is_source_name, timestamp
from imagemill.domain.images import ImageInfo, Job, Rejection
from imagemill.recipes import Recipe
from imagemill.store.couch import StoreUnavailable
from imagemill.wire.broker import BrokerUnavailable

# Files of one request are committed in portions, so that a thousand of them do not stand in memory together.
_PORTION_FILES = 32
PORTION_BYTES = 16 * 1024 * 1024
_NAMES = "use up to 100 letters, digits, '.', '_', '-'"


@dataclass(frozen=True)
class UploadOptions:
    """What a request asks for, checked."""

    batch: str
    recipes: Sequence[Recipe]
    source: str | None
    priority: int
    callbacks: Callbacks = NO_CALLBACKS


@dataclass
class UploadAnswer:
    """What the client is told; `status` is that of the first refusal when nothing was accepted."""

    batch: str
    accepted: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    status: int = 400

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {"batch": self.batch, "accepted": self.accepted, "rejected": self.rejected}


def order_of(
    services: Services, wanted: Sequence[str], batch: str, source: str, priority: str, key: str | None = None,
    callbacks: Callbacks = NO_CALLBACKS,
) -> UploadOptions:  # fmt: skip
    """Checks what a request asks for; raises Problem. `key` is the request's, or that of its first file."""
    names = list(dict.fromkeys(wanted)) or [services.settings.default_recipe]
    if len(names) > services.settings.max_request_recipes:
        limit = services.settings.max_request_recipes
        raise Problem(413, "too-many-recipes", f"{len(names)} recipes were asked for; at most {limit} at a time.")
    for name in names:
        if name not in services.recipes:
            known = ", ".join(sorted(services.recipes))
            raise Problem(400, "unknown-recipe", f"There is no recipe {name!r}; there are {known}.")
    if batch and not is_batch_name(batch):
        raise Problem(400, "bad-batch", f"{batch!r} cannot name a batch; {_NAMES}.")
    if source and not is_source_name(source):
        raise Problem(400, "bad-source", f"{source!r} cannot name a source; {_NAMES}, a letter or digit first.")
    limits, wanted_priority = principal().limits, _priority(priority)
    if refusal := limits.refusal(source or None, names, wanted_priority):
        raise Problem(403, "forbidden", f"{principal().name!r}: {refusal}.")
    recipes = [services.recipes[name] for name in names]
    name = batch or services.identities.batch(key)
    return UploadOptions(name, recipes, source or limits.source, wanted_priority, callbacks)


def take_in(services: Services, order: UploadOptions, offers: Iterable[Offer], wait: bool = False) -> UploadAnswer:
    """Judges, stores, commits; raises a 503 or 429 Problem, or Busy, when nothing could be accepted."""
    services.admission.check()
    answer = UploadAnswer(order.batch)
    for portion in _portions(offers):
        try:
            _take_in_portion(services, order, portion, answer, services.reply_to if wait else None)
        except (StoreUnavailable, BrokerUnavailable, TooManyInFlight) as error:
            problem = too_many_jobs(principal(), error) if isinstance(error, TooManyInFlight) else not_taken(error)
            if not answer.accepted and not answer.rejected:
                raise problem from error
            # Some were accepted before: that is told, and so is which were not.
            answer.rejected += [_not_now(offer, problem) for offer in portion]
    return answer


@contextmanager
def room_for(services: Services, count: int) -> Iterator[None]:
    """Of a token whose jobs in flight are limited, keep room for so many more; raises TooManyInFlight."""
    known = principal()
    if known.limits.jobs_in_flight is None:
        yield
        return
    with services.shares.reserved(known.owner, count, known.limits.jobs_in_flight):
        yield


def _take_in_portion(
    services: Services, order: UploadOptions, portion: list[Offer], answer: UploadAnswer, reply_to: str | None
) -> None:
    services.group_commit.check_open()
    judged = [(offer, _judge(services, offer)) for offer in portion]
    good = [(offer, verdict) for offer, verdict in judged if isinstance(verdict, ImageInfo)]
    refused = [(offer, verdict) for offer, verdict in judged if isinstance(verdict, Rejected)]
    with room_for(services, len(good) * len(order.recipes)):
        _accept(services, order, good, refused, answer, reply_to)
    if order.source:
        for offer, _ in good:
            services.cameras.posted.offer(order.source, offer.data)
    if refused and not answer.accepted:
        answer.status = refused[0][1].status


def _accept(
    services: Services,
    order: UploadOptions,
    good: Sequence[tuple[Offer, ImageInfo]],
    refused: Sequence[tuple[Offer, Rejected]],
    answer: UploadAnswer,
    reply_to: str | None,
) -> None:
    seen_at = services.purges.now()
    # Asked here too: what is refused afterwards would have been stored in vain.
    services.purges.check((info.sha256 for _, info in good), seen_at)
    is_new = _store_originals(services, good)
    wanted = [(*one, new, recipe) for one, new in zip(good, is_new, strict=True) for recipe in order.recipes]
    ids = services.identities.ids(
        [Identity(offer.key, f"{info.sha256}:{recipe.name}") for offer, info, _, recipe in wanted]
        + [Identity(offer.key, f"{sha256(offer.data)}:{offer.size_bytes}:rejected") for offer, _ in refused]
    )
    jobs = [
        new_job(
            services,
            order,
            recipe,
            job_id,
            offer.name,
            info,
            offer.data or None,
            min(seen_at, offer.seen_at),
            reply_to,
            is_new=new,
        )
        for job_id, (offer, info, new, recipe) in zip(ids, wanted, strict=False)
    ]
    rejections = [
        Rejection(id=made, batch=order.batch, name=offer.name, code=no.code, detail=no.detail, at=timestamp())
        for made, (offer, no) in zip(ids[len(wanted) :], refused, strict=True)
    ]
    committed = services.group_commit.commit(jobs, rejections)
    for new, (offer, *_) in zip(jobs, wanted, strict=True):
        answer.accepted.append(_accepted(new.job, new.job.id in committed.duplicates, offer.index))
    for rejection, (offer, _) in zip(rejections, refused, strict=True):
        answer.rejected.append(_rejected(rejection, offer.index))
    answer.batch = committed.batch_of([new.job for new in jobs]) or answer.batch


def _judge(services: Services, offer: Offer) -> ImageInfo | Rejected:
    if offer.info:
        return offer.info
    try:
        header = validate(offer.data, services.limits, offer.size_bytes)
    except Rejected as no:
        return no
    return info_of_original(header, offer.data)


def info_of_original(header: Header, data: bytes) -> ImageInfo:
    """The facts about an original that passed the door."""
    return ImageInfo(
        sha256=sha256(data), bytes=len(data), width=header.width, height=header.height, content_type=header.content_type
    )


def _store_originals(services: Services, good: Sequence[tuple[Offer, ImageInfo]]) -> list[bool]:
    def store(item: tuple[Offer, ImageInfo]) -> bool:
        offer, info = item
        return offer.info is None and services.stores.blobs.put(info.sha256, offer.data, info.content_type)

    return [store(good[0])] if len(good) == 1 else list(services.uploads.map(store, good))


def new_job(
    services: Services,
    order: UploadOptions,
    recipe: Recipe,
    job_id: str,
    name: str,
    info: ImageInfo,
    data: bytes | None,
    seen_at: float,
    reply_to: str | None = None,
    retry_of: str | None = None,
    is_new: bool = False,
) -> NewJob:
    """A job for a picture whose original is stored, as is known since `seen_at`."""
    job = Job(
        id=job_id, batch=order.batch, name=name, recipe=recipe.name, recipe_steps=recipe.canonical,
        recipe_digest=recipe.digest, original=info, accepted_at=timestamp(), by=services.settings.instance,
        source=order.source, priority=order.priority, retry_of=retry_of, owner=owner(),
        callback=order.callbacks.image, batch_callback=order.callbacks.batch,
    )  # fmt: skip
    inline = data if data is not None and len(data) <= services.settings.inline_max_bytes else None
    return NewJob(job, inline, seen_at, reply_to, is_new)


def _portions(offers: Iterable[Offer]) -> Iterator[list[Offer]]:
    portion: list[Offer] = []
    for offer in offers:
        portion.append(offer)
        if len(portion) >= _PORTION_FILES or sum(len(item.data) for item in portion) >= PORTION_BYTES:
            yield portion
            portion = []
    if portion:
        yield portion


def _priority(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text) <= 9):
        raise Problem(400, "bad-priority", f"{text!r} is no priority; use 0 (normal) to 9 (first).")
    return int(text or 0)


def _accepted(job: Job, duplicate: bool, index: int) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "recipe": job.recipe,
        "sha256": job.original.sha256,
        "duplicate": duplicate,
        "url": f"/api/v1/images/{job.id}",
        "index": index,
    }


def _rejected(rejection: Rejection, index: int) -> dict[str, Any]:
    return {"name": rejection.name, "code": rejection.code, "detail": rejection.detail, "index": index}


def _not_now(offer: Offer, problem: Problem) -> dict[str, Any]:
    detail = {
        "too-many-jobs": "Not taken in: too many jobs of this token are in flight; upload it again later.",
        "being-erased": "Not taken in: the same picture is being erased at this moment; upload it in a few minutes.",
        "unavailable": "Not taken in: a server was away; upload it again.",
        "accept-unknown": "Whether it was taken in is not known; upload it again with the same key.",
    }[problem.code]
    return {"name": offer.name, "code": problem.code, "detail": detail, "index": offer.index}
