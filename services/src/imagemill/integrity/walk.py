"""Goes through the whole ledger and all blobs, page by page: memory stays flat, whatever they hold."""

import random
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from imagemill.domain.blobs import sha256
from imagemill.domain.erasures import is_live
from imagemill.domain.images import Counts, Image
from imagemill.integrity.defects import Defect, Report, contradictions
from imagemill.store.blobs import Blobs
from imagemill.store.conflicts import Conflicts
from imagemill.store.couch import Couch
from imagemill.store.erasures import Erasures
from imagemill.store.ledger import Ledger
from imagemill.store.watermark import Watermark

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Wanted:
    """What is looked at: all batches or one, and of about how many blobs the bytes are read (None: of all)."""

    batch: str | None = None
    sample: int | None = 1000


class Referenced:
    """The names of the blobs which the ledger needs, on disk."""

    def __init__(self, folder: str) -> None:
        self._database = sqlite3.connect(f"{folder}/referenced.sqlite")
        self._database.execute("CREATE TABLE names (name TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, names: Sequence[str]) -> None:
        """Note names."""
        self._database.executemany("INSERT OR IGNORE INTO names VALUES (?)", [(name,) for name in names])

    def has(self, name: str) -> bool:
        """Was it noted?"""
        return self._database.execute("SELECT 1 FROM names WHERE name = ?", (name,)).fetchone() is not None

    def close(self) -> None:
        """Forget them."""
        self._database.close()


class Walk:
    """One check of everything. `found` hears of each defect, `progress` of jobs and blobs that were looked at."""

    def __init__(
        self, couch: Couch, blobs: Blobs, wanted: Wanted, found: Callable[[Defect], None], progress: Progress
    ) -> None:
        self._ledger, self._blobs, self._erasures = Ledger(couch), blobs, Erasures(couch)
        self._watermark, self._conflicts = Watermark(couch), Conflicts(couch)
        self._wanted, self._found, self._progress = wanted, found, progress
        self.report = Report()

    def run(self) -> Report:
        """Check; raises StoreUnavailable."""
        with tempfile.TemporaryDirectory() as folder, closing(Referenced(folder)) as referenced:
            before, mark = self._ledger.counts(self._wanted.batch), self._watermark.read()
            for images in self._ledger.all_images():
                self._check_images([image for image in images if self._is_wanted(image)], mark)
                referenced.add([image.job.original.sha256 for image in images if image.needs_bytes])
                self._progress("jobs", len(images))
            for results in self._ledger.all_results():
                referenced.add([item.result.sha256 for item in results])
            self._check_counts(before, self._ledger.counts(self._wanted.batch))
            if self._wanted.batch is None:
                self._check_strangers()
                self._check_versions()
                self._check_blobs(referenced)
        return self.report

    def _is_wanted(self, image: Image) -> bool:
        return self._wanted.batch in (None, image.job.batch)

    # --- the ledger -------------------------------------------------------------------------------

    def _check_images(self, images: Sequence[Image], mark: str) -> None:
        known = self._ledger.known_results({image.job.result_key for image in images})
        names = {image.job.original.sha256 for image in images}
        results = {image.outcome.result.sha256 for image in images if image.outcome and image.outcome.result}
        missing = self._blobs.missing(names | results)
        # What was erased meanwhile is not missing, and must not be brought back.
        erasures = self._erasures.of([image.job.id for image in images]) if missing else {}
        for image in images:
            job, outcome = image.job, image.outcome
            self._count(image, mark)
            if not (image.needs_bytes and is_live(job.id, erasures)):
                continue
            if job.original.sha256 in missing:
                self._note("original-missing", job.id, job.original.sha256)
            if outcome and outcome.result and outcome.result.sha256 in missing:
                self._note("result-missing", job.id, outcome.result.sha256)
            if outcome:
                for detail in contradictions(job, outcome, known.get(job.result_key)):
                    self._note("outcome-contradicts", job.id, detail)

    def _count(self, image: Image, mark: str) -> None:
        self.report.jobs += 1
        self.report.erased += image.erasure is not None
        if image.outcome is None:
            self.report.in_flight += 1
            if image.job.id < mark:
                self._note("forgotten", image.job.id)
        elif image.outcome.status == "stored":
            self.report.stored += 1
        else:
            self.report.failed += 1

    def _check_strangers(self) -> None:
        for ids in self._ledger.all_outcome_ids():
            there = self._ledger.accepted_ids(ids)
            for job_id in ids:
                if job_id not in there:
                    self._note("outcome-without-job", job_id)

    def _check_versions(self) -> None:
        for doc_id, _ in self._conflicts.all():
            self._note("two-versions", doc_id)

    def _check_counts(self, before: Counts, after: Counts) -> None:
        """Work goes on meanwhile: what was counted lies between the totals before and after."""
        report = self.report
        ranges = {
            "accepted": (before.accepted, report.jobs, after.accepted),
            "stored": (before.stored, report.stored, after.stored),
            "failed": (before.failed, report.failed, after.failed),
            # Those may be taken back meanwhile.
            "erased": (min(before.erased, after.erased), report.erased, max(before.erased, after.erased)),
        }
        for name, (least, counted, most) in ranges.items():
            if not least <= counted <= most:
                self._note("counts-differ", name, f"the totals say {least:,} to {most:,}, counted are {counted:,}")

    # --- blobs ------------------------------------------------------------------------------------

    def _check_blobs(self, referenced: Referenced) -> None:
        share = self._share()
        for names in self._blobs.all_names():
            self.report.blobs += len(names)
            self.report.orphans += sum(not referenced.has(name) for name in names)
            for name in names:
                if random.random() < share:  # noqa: S311 - nothing secret
                    self._check_bytes(name)
            self._progress("blobs", len(names))

    def _share(self) -> float:
        if self._wanted.sample is None:
            return 1.0
        return self._wanted.sample / max(1, self._blobs.count())

    def _check_bytes(self, name: str) -> None:
        data = self._blobs.read_unchecked(name)
        if data is None:
            return  # it was removed meanwhile
        self.report.blobs_read += 1
        self.report.bytes_read += len(data)
        if sha256(data) != name:
            self._note("bytes-differ", name, f"{len(data):,} bytes")

    def _note(self, kind: str, subject: str, detail: str = "") -> None:
        defect = Defect(kind, subject, detail)
        self.report.note(defect)
        self._found(defect)
