"""The append-only ledger: jobs, outcomes, results and rejections. Nothing of them is updated, so nothing can conflict.

Documents: `job:<id>`, `outcome:<id>`, `result:<original sha256>:<recipe digest>`, `rejection:<id>`, `key:<digest>`.
A conflict means "already there". In flight = jobs without outcome. Only `erasure:<id>` changes, see `erasures`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.domain.images import Counts, Image, Job, KnownResult, Outcome, Rejection
from imagemill.store.couch import Couch, Document, StoreUnavailable, successes
from imagemill.store.ledger_documents import BESIDE_JOB, counts_in, document, image_of, outcome_document
from imagemill.store.ledger_views import HASH_LETTERS, LAYOUT, REFERENCES, VIEWS, is_hash

_LAST = "\ufff0"
_PAGE = 1000

# The text by which a job was found, and its id.
NameCursor = tuple[str, str]


@dataclass(frozen=True)
class LookUp:
    """Of ids those under which there is a job, and those of pictures that were erased; known results by key."""

    accepted: set[str]
    erased: set[str]
    known: dict[str, KnownResult]


class Ledger:
    """Reads and writes the ledger."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database("ledger")

    def prepare(self) -> None:
        """Makes database and views exist."""
        self._database.create()
        design: Document = {"_id": f"_design/{LAYOUT}", "language": "javascript", "views": VIEWS}
        self._database.bulk([design, REFERENCES])

    # --- writing ----------------------------------------------------------------------------------

    def accept(self, jobs: Sequence[Job], outcomes: Sequence[Outcome], rejections: Sequence[Rejection]) -> list[Image]:
        """Writes what one group commit brings together; raises StoreUnavailable unless all of it is there.

        Returns the jobs which were there already, as they are: a request was repeated.
        """
        documents = [
            *(document("job", job.id, job.model_dump(mode="json")) for job in jobs),
            *(outcome_document(outcome) for outcome in outcomes),
            *(document("rejection", item.id, item.model_dump(mode="json")) for item in rejections),
        ]
        errors = self._database.bulk(documents)
        successes(documents, errors)
        repeated = [job.id for job, error in zip(jobs, errors, strict=False) if error]
        found = self._surely(f"{kind}:{job_id}" for job_id in repeated for kind in ("job", "outcome"))
        return [image_of(found, job_id) for job_id in repeated if f"job:{job_id}" in found]

    def remember_keys(self, ids: Mapping[str, str]) -> dict[str, str]:
        """Remember an id for each digest of a key; returns the ids that count, which are those that came first."""
        documents = [document("key", key, {"id": made}) for key, made in ids.items()]
        errors = self._database.bulk(documents)
        successes(documents, errors)
        taken = [str(document["_id"]) for document, error in zip(documents, errors, strict=True) if error]
        earlier = {doc_id.removeprefix("key:"): self._remembered(doc_id) for doc_id in taken}
        return {**ids, **earlier}

    def _remembered(self, doc_id: str) -> str:
        """The id of a key that was remembered before.

        Of two requests at once, each on a side of a cluster, only one may have gone on: the one whose id was used.
        """
        found = [str(version["id"]) for version in self._database.all_versions(doc_id)]
        if len(found) > 1:
            used = self.existing_ids(found)
            found = [made for made in found if made in used]
        if not found:
            raise StoreUnavailable(f"it is not settled yet what {doc_id!r} stands for")
        return found[0]

    def record_outcomes(self, outcomes: Sequence[Outcome], results: Sequence[KnownResult] = ()) -> list[Outcome]:
        """Write outcomes, and make results known in the same bulk write; of both the first one stays.

        Tells for each job the outcome which the ledger has.
        """
        made = [document("result", item.key, item.model_dump(mode="json")) for item in results]
        documents = [outcome_document(outcome) for outcome in outcomes]
        all_errors = self._database.bulk([*made, *documents])
        successes([*made, *documents], all_errors)
        errors = all_errors[len(made) :]
        taken = [document["_id"] for document, error in zip(documents, errors, strict=True) if error]
        earlier = self._surely(taken)
        if len(earlier) < len(set(taken)):
            raise StoreUnavailable("an outcome which is there already cannot be read yet")
        return [
            Outcome.model_validate(earlier[document["_id"]]) if document["_id"] in earlier else outcome
            for document, outcome in zip(documents, outcomes, strict=True)
        ]

    # --- reading ----------------------------------------------------------------------------------

    def known_results(self, keys: Iterable[str]) -> dict[str, KnownResult]:
        """Results which are there, by key."""
        found = self._database.get_many([f"result:{key}" for key in keys])
        return {doc["key"]: KnownResult.model_validate(doc) for doc in found.values()}

    def jobs(self, ids: Iterable[str]) -> dict[str, Job]:
        """Jobs by id."""
        found = self._database.get_many([f"job:{job_id}" for job_id in ids])
        return {doc["id"]: Job.model_validate(doc) for doc in found.values()}

    def accepted_ids(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids under which there is a job."""
        return self.look_up(ids, ()).accepted

    def look_up(self, ids: Iterable[str], keys: Iterable[str]) -> LookUp:
        """What the ledger has of ids of jobs and keys of results, asked together."""
        jobs, results = [f"job:{job_id}" for job_id in ids], [f"result:{key}" for key in keys]
        erasures = [doc_id.replace("job:", "erasure:", 1) for doc_id in jobs] if results else []
        there = self._database.existing([*jobs, *erasures, *results])
        accepted = there.intersection(jobs) | self._surely(doc_id for doc_id in jobs if doc_id not in there).keys()
        return LookUp(
            {doc_id.removeprefix("job:") for doc_id in accepted},
            {doc_id.removeprefix("erasure:") for doc_id in there.intersection(erasures)},
            self.known_results(doc_id.removeprefix("result:") for doc_id in results if doc_id in there),
        )

    def existing_ids(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids under which there is a job or a rejection."""
        found = self._database.get_many([f"{kind}:{item}" for item in ids for kind in ("job", "rejection")])
        return {str(document["id"]) for document in found.values()}

    def outcomes(self, ids: Iterable[str]) -> dict[str, Outcome]:
        """Outcomes by the job's id."""
        found = self._database.get_many([f"outcome:{job_id}" for job_id in ids])
        return {doc["id"]: Outcome.model_validate(doc) for doc in found.values()}

    def images(self, ids: Sequence[str]) -> list[Image]:
        """Jobs with their outcomes, in the order of the ids; unknown ids are left out."""
        wanted = [f"{kind}:{job_id}" for job_id in ids for kind in ("job", *BESIDE_JOB)]
        found = self._database.get_many(wanted)
        return [image_of(found, job_id) for job_id in ids if f"job:{job_id}" in found]

    def image(self, job_id: str) -> Image | None:
        """One job with its outcome, None for an id which was never accepted."""
        return next(iter(self.images([job_id])), None)

    def counts(self, batch: str | None = None) -> Counts:
        """The arithmetic of one batch, or of everything."""
        query: dict[str, Any] = {} if batch is None else {"key": batch}
        rows = self._database.view(LAYOUT, "counts", reduce=True, **query)
        return counts_in(rows[0]["value"]) if rows else Counts()

    def batches(self, limit: int, after: str | None = None, prefix: str = "") -> list[tuple[str, Counts]]:
        """Batches with their counts, last name first: batches which the product named itself sort by time."""
        start = prefix + _LAST if after is None else after
        rows = self._database.view(
            LAYOUT, "counts", group=True, descending=True, start_key=start, end_key=prefix,
            limit=limit + (after is not None),
        )  # fmt: skip
        return [(row["key"], counts_in(row["value"])) for row in rows if row["key"] != after][:limit]

    def counts_of(self, batches: Sequence[str]) -> dict[str, Counts]:
        """The arithmetic of batches; those under which nothing was offered are left out."""
        rows = self._database.view(LAYOUT, "counts", reduce=True, group=True, keys=list(batches)) if batches else []
        return {str(row["key"]): counts_in(row["value"]) for row in rows}

    def newest_ids(self, limit: int, after: str | None = None) -> list[str]:
        """Ids of accepted pictures, newest first, older than `after`."""
        ids = self._database.ids(_start("job", after), "job:", limit + 1, descending=True)
        return [doc_id.removeprefix("job:") for doc_id in ids if doc_id != f"job:{after}"][:limit]

    def listed_ids(
        self, batch: str | None, state: str, limit: int, after: str | None = None, newer: bool = False
    ) -> list[str]:
        """Ids by batch and list (a state; `accepted` means all jobs here), newest first, older than `after`.

        With `newer` those that are newer than it, the oldest of them first.
        """
        lists = [batch or "", state]
        bounds = {"start_key": [*lists, after or _LAST], "end_key": lists}
        if newer:
            bounds = {"start_key": [*lists, after or ""], "end_key": [*lists, _LAST]}
        rows = self._database.view(LAYOUT, "listing", reduce=False, descending=not newer, limit=limit + 1, **bounds)
        ids = [str(row["key"][2]) for row in rows]
        return [job_id for job_id in ids if job_id != after][:limit]

    def named_ids(self, text: str, limit: int, after: NameCursor | None = None) -> tuple[list[str], NameCursor | None]:
        """Ids of jobs by the beginning of their name, of a word in it, or of their original's hash; and where to go on.

        In the order of that text; a job may be told twice, on pages that follow each other.
        """
        wanted = text.lower()[:HASH_LETTERS] if is_hash(text) else text.lower()
        start = list(after) if after else [wanted]
        rows = self._database.view(
            LAYOUT, "names", reduce=False, start_key=start, end_key=[wanted + _LAST], limit=limit + 2
        )
        found = [(str(row["key"][0]), str(row["key"][1])) for row in rows if row["key"] != start]
        return list(dict.fromkeys(key[1] for key in found[:limit])), found[limit - 1] if len(found) > limit else None

    def ids_beginning(self, text: str, limit: int) -> list[str]:
        """Ids of accepted pictures which begin with a text."""
        return self._suffixes("job", text, text + _LAST, limit)

    def rejections(self, ids: Sequence[str]) -> list[Rejection]:
        """Pictures refused at the door, in the order of the ids."""
        found = self._database.get_many([f"rejection:{item}" for item in ids])
        return [Rejection.model_validate(found[f"rejection:{item}"]) for item in ids if f"rejection:{item}" in found]

    def in_flight_page(self, start: str, end: str) -> tuple[list[str], str | None]:
        """Of the next thousand jobs with start ≤ id < end those without outcome, and where to go on; None at the end.

        A merge of two id ranges: the cost is that of the range, whatever happened before it.
        """
        jobs = self._suffixes("job", start, end, _PAGE)
        if not jobs:
            return [], None
        done = set(self._suffixes("outcome", jobs[0], jobs[-1] + _LAST, _PAGE))
        # What follows sorts behind this id and before every other.
        return [job_id for job_id in jobs if job_id not in done], jobs[-1] + "!"

    def newest_in_flight(self, before: str, oldest: str) -> tuple[list[str], str | None]:
        """Of the thousand jobs with before > id ≥ oldest those without outcome, newest first; and where to go on."""
        ids = self._database.ids(f"job:{before}", f"job:{oldest}", _PAGE, descending=True)
        jobs = [doc_id.removeprefix("job:") for doc_id in ids if doc_id != f"job:{before}"]
        done = set(self._suffixes("outcome", jobs[-1], jobs[0] + _LAST, _PAGE)) if jobs else set()
        return [job_id for job_id in jobs if job_id not in done], jobs[-1] if len(ids) == _PAGE else None

    def images_between(self, start: str, end: str) -> tuple[list[Image], str]:
        """The next thousand jobs with start ≤ id < end, with their outcomes, oldest first; and where to go on."""
        ids = self._suffixes("job", start, end, _PAGE)
        return self.images(ids), ids[-1] + "!" if len(ids) == _PAGE else end

    def without_outcome(self, ids: Sequence[str]) -> list[str]:
        """Those of the jobs that have none, in the order of the ids."""
        done = self._database.existing([f"outcome:{job_id}" for job_id in ids])
        return [job_id for job_id in ids if f"outcome:{job_id}" not in done]

    # --- what is new ------------------------------------------------------------------------------

    def sequence(self) -> str:
        """Where the ledger stands: what is written from now on comes after it."""
        return self._database.sequence()

    def ended_since(self, since: str, limit: int) -> tuple[list[Image], str, int]:
        """Pictures whose outcomes are among the next changes, where to go on, and how many changes these were.

        Outcomes may be told again, but none is left out: what another node of a cluster does not have yet is asked of
        a majority.
        """
        rows, following = self._database.changes(since, limit)
        ids = [doc_id.removeprefix("outcome:") for doc_id, _ in rows if doc_id.startswith("outcome:")]
        wanted = [f"{kind}:{job_id}" for job_id in ids for kind in ("job", "outcome")]
        found = self._database.get_many(wanted)
        found |= self._surely(doc_id for doc_id in wanted if doc_id not in found)
        there = [job_id for job_id in ids if f"job:{job_id}" in found and f"outcome:{job_id}" in found]
        return [image_of(found, job_id) for job_id in there], following, len(rows)

    # --- all of it, page by page: memory stays flat -----------------------------------------------

    def all_images(self) -> Iterator[list[Image]]:
        """All jobs with their outcomes, oldest first."""
        for documents in self._pages("job"):
            beside = [f"{kind}:{document['id']}" for document in documents for kind in BESIDE_JOB]
            found = {str(document["_id"]): document for document in documents} | self._database.get_many(beside)
            yield [image_of(found, str(document["id"])) for document in documents]

    def all_results(self) -> Iterator[list[KnownResult]]:
        """All known results."""
        for documents in self._pages("result"):
            yield [KnownResult.model_validate(document) for document in documents]

    def all_outcome_ids(self) -> Iterator[list[str]]:
        """The ids of all jobs which have an outcome."""
        start = ""
        while ids := self._suffixes("outcome", start, _LAST, _PAGE):
            yield ids
            start = ids[-1] + "!"

    def _pages(self, kind: str) -> Iterator[list[Document]]:
        start, end = f"{kind}:", f"{kind}:{_LAST}"
        while documents := self._database.documents(start, end, _PAGE):
            yield documents
            start = str(documents[-1]["_id"]) + "!"

    def _surely(self, doc_ids: Iterable[str]) -> dict[str, Document]:
        """Documents one by one: that asks a majority of a cluster's nodes, while a list comes from one of them."""
        found = {doc_id: self._database.get(doc_id) for doc_id in doc_ids}
        return {doc_id: document for doc_id, document in found.items() if document is not None}

    def _suffixes(self, kind: str, start: str, end: str, limit: int) -> list[str]:
        ids = self._database.ids(f"{kind}:{start}", f"{kind}:{end}", limit)
        return [doc_id.removeprefix(f"{kind}:") for doc_id in ids if doc_id != f"{kind}:{end}"]


def _start(kind: str, after: str | None) -> str:
    return f"{kind}:{_LAST if after is None else after}"
