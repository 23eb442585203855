"""`verify` finds what is wrong, says nothing when nothing is, and `repair` mends what can be mended."""

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest
import requests

import pictures
from imagemill import recipes
from imagemill.domain.blobs import sha256
from imagemill.domain.erasures import Erasure
from imagemill.domain.ids import floor_at, timestamp, uuid7
from imagemill.domain.images import Image, ImageInfo, Job, KnownResult, Outcome
from imagemill.integrity.defects import Defect, Report, contradictions
from imagemill.integrity.repair import Mending, Repair
from imagemill.integrity.walk import Walk, Wanted
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.couch import Couch
from imagemill.store.erasures import Erasures
from imagemill.store.leases import prepare as prepare_leases
from imagemill.store.ledger import Ledger
from imagemill.store.watermark import Watermark


class Installation:
    """A ledger and blobs with some pictures in every state."""

    def __init__(self, couch: Couch) -> None:
        self.couch, self.ledger, self.blobs = couch, Ledger(couch), CouchBlobs(couch)
        self.ledger.prepare()
        self.blobs.prepare()
        prepare_leases(couch)
        self.recipe = recipes.load(None)["gray"]

    def accept(self, seed: int, at_seconds: float | None = None) -> Job:
        data = pictures.photo_jpeg(32, 24, seed)
        info = ImageInfo(sha256=sha256(data), bytes=len(data), width=32, height=24, content_type="image/jpeg")
        self.blobs.put(info.sha256, data, info.content_type)
        job = Job(
            id=uuid7() if at_seconds is None else floor_at(at_seconds), batch="b", name="n.jpg", recipe="gray",
            recipe_steps=self.recipe.canonical, recipe_digest=self.recipe.digest, original=info,
            accepted_at=timestamp(), by="api",
        )  # fmt: skip
        self.ledger.accept([job], [], [])
        return job

    def store(self, job: Job) -> Outcome:
        made = self.recipe.apply(self.blobs.get(job.original.sha256))
        result = ImageInfo(
            sha256=sha256(made.data), bytes=len(made.data), width=made.width, height=made.height,
            content_type=made.content_type,
        )  # fmt: skip
        self.blobs.put(result.sha256, made.data, made.content_type)
        self.ledger.record_outcomes([], [KnownResult(key=job.result_key, job=job.id, result=result)])
        outcome = Outcome(id=job.id, batch=job.batch, recipe=job.recipe, status="stored", result=result)
        self.ledger.record_outcomes([outcome])
        return outcome

    def fail(self, job: Job) -> None:
        failed = Outcome(
            id=job.id, batch=job.batch, recipe=job.recipe, status="failed", code="damaged", reason="It is."
        )
        self.ledger.record_outcomes([failed])

    def verified(self, **wanted: Any) -> Report:
        all_of_it = Wanted(**({"sample": None} | wanted))
        return Walk(self.couch, self.blobs, all_of_it, lambda _: None, lambda *_: None).run()

    def repaired(self, copies: CouchBlobs | None = None, dry_run: bool = False) -> tuple[int, list[Mending]]:
        steps: list[Mending] = []
        return Repair(self.couch, self.blobs, copies, dry_run, steps.append).run(lambda *_: None), steps


@pytest.fixture
def there(client: Couch) -> Installation:
    made = Installation(client)
    jobs = [made.accept(seed) for seed in range(4)]
    made.store(jobs[0])
    made.store(jobs[1])
    made.fail(jobs[2])
    return made


def first_stored(there: Installation) -> Image:
    images = [image for page in there.ledger.all_images() for image in page]
    return next(image for image in images if image.outcome and image.outcome.result)


def test_nothing_wrong_is_found_where_nothing_is(there: Installation) -> None:
    report = there.verified()
    assert report.sound, report.examples
    assert (report.jobs, report.stored, report.failed, report.in_flight) == (4, 2, 1, 1)
    assert (report.blobs, report.blobs_read, report.orphans) == (6, 6, 0)
    assert there.repaired() == (0, [])


def test_bytes_without_a_job_are_counted_and_no_error(there: Installation) -> None:
    there.blobs.put(sha256(b"left over"), b"left over", "image/png")
    report = there.verified()
    assert (report.orphans, report.sound) == (1, True)


def test_of_a_batch_only_its_own_pictures_are_counted(there: Installation) -> None:
    assert there.verified(batch="b").jobs == 4
    report = there.verified(batch="other")
    assert (report.jobs, report.blobs, report.sound) == (0, 0, True)


def test_a_result_that_is_gone_is_made_again_of_its_original(there: Installation) -> None:
    image = first_stored(there)
    assert image.outcome
    assert image.outcome.result
    name = image.outcome.result.sha256
    there.blobs.remove(name)
    assert there.verified().wrong == {"result-missing": 1}
    left, (would,) = there.repaired(dry_run=True)
    assert (left, would.mended) == (0, True)
    assert not there.verified().sound
    assert there.repaired()[0] == 0
    assert there.verified().sound
    assert sha256(there.blobs.get(name)) == name


def test_wrong_bytes_are_found_and_replaced(there: Installation) -> None:
    image = first_stored(there)
    assert image.outcome
    assert image.outcome.result
    name = image.outcome.result.sha256
    there.blobs.replace(name, b"other bytes", "image/png")
    assert there.verified(sample=0).sound
    assert there.verified().wrong == {"bytes-differ": 1}
    assert there.repaired()[0] == 0
    assert there.verified().sound


def test_an_original_that_is_gone_comes_from_a_replica_or_is_said_to_be_lost(
    there: Installation, couchdb_url: str, couchdb_prefix: str
) -> None:
    copies = Installation(Couch(couchdb_url, couchdb_prefix + "copies"))
    for seed in range(4):
        copies.accept(seed)
    name = first_stored(there).job.original.sha256
    there.blobs.remove(name)
    assert there.verified().wrong == {"original-missing": 1}
    left, (lost,) = there.repaired()
    assert (left, lost.mended) == (1, False)
    assert there.repaired(copies.blobs)[0] == 0
    assert there.verified().sound


def test_a_forgotten_job_comes_back_before_the_watermark(there: Installation) -> None:
    old = there.accept(9, at_seconds=1_700_000_000)
    Watermark(there.couch).raise_to(floor_at(1_750_000_000))
    assert there.verified().wrong == {"forgotten": 1}
    there.repaired()
    assert Watermark(there.couch).read() == old.id
    assert there.verified().sound


def test_an_outcome_without_a_job_is_found(there: Installation) -> None:
    there.ledger.record_outcomes([Outcome(id=uuid7(), batch="b", recipe="gray", status="failed")])
    report = there.verified()
    assert set(report.wrong) == {"outcome-without-job", "counts-differ"}
    assert there.repaired()[0] == 2


def test_two_versions_are_found_and_one_is_kept(there: Installation, couchdb_url: str, couchdb_prefix: str) -> None:
    image = first_stored(there)
    other = {"_id": f"outcome:{image.job.id}", "_rev": "1-" + "f" * 32, "type": "outcome", "id": image.job.id}
    other |= {"batch": "b", "recipe": "gray", "status": "failed"}
    answer = requests.post(
        f"{couchdb_url}/{couchdb_prefix}ledger/_bulk_docs", json={"docs": [other], "new_edits": False}, timeout=60
    )
    assert answer.ok
    assert there.verified().wrong["two-versions"] == 1
    there.repaired()
    report = there.verified()
    assert (report.sound, report.stored) == (True, 2)


STORED = {"id": "1", "batch": "b", "recipe": "gray"}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"batch": "c"}, "another batch"),
        ({"result": None}, "no result"),
        ({"status": "failed"}, "there is a result"),
        ({"duplicate": True, "result": {"sha256": "9" * 64}}, "not that of the first"),
    ],
)
def test_contradictions_are_told_as_sentences(change: dict[str, Any], word: str) -> None:
    info = {"sha256": "1" * 64, "bytes": 1, "width": 1, "height": 1, "content_type": "image/png"}
    job = Job.model_validate(
        STORED
        | {"name": "n", "recipe_steps": "[]", "recipe_digest": "d", "original": info, "accepted_at": "", "by": ""}
    )
    given = {"result": info, "status": "stored"} | STORED | change
    if isinstance(given["result"], dict):
        given["result"] = info | given["result"]
    outcome = Outcome.model_validate(given)
    known = KnownResult(key=job.result_key, job="0", result=ImageInfo.model_validate(info))
    assert any(word in sentence for sentence in contradictions(job, outcome, known))


def test_examples_are_few_and_counts_are_whole() -> None:
    report = Report()
    for number in range(1000):
        report.note(Defect("forgotten", str(number)))
    assert (report.wrong["forgotten"], len(report.examples)) == (1000, 20)


def command(*words: str, url: str, prefix: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "COUCHDB_URL": url, "IMAGEMILL_COUCHDB_PREFIX": prefix.rstrip("-")}
    line = [sys.executable, "-m", "imagemill.cli", *words]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_commands_say_what_they_found_and_did(there: Installation, couchdb_url: str, couchdb_prefix: str) -> None:
    fine = command("verify", url=couchdb_url, prefix=couchdb_prefix)
    assert (fine.returncode, fine.stderr) == (0, "")
    assert "4 accepted = 2 stored + 1 failed + 1 in flight" in fine.stdout
    image = first_stored(there)
    assert image.outcome
    assert image.outcome.result
    there.blobs.remove(image.outcome.result.sha256)
    wrong = command("verify", "--json", "--all", url=couchdb_url, prefix=couchdb_prefix)
    assert (wrong.returncode, json.loads(wrong.stdout)["wrong"]) == (1, {"result-missing": 1})
    would = command("repair", "--dry-run", url=couchdb_url, prefix=couchdb_prefix)
    assert "would: it is made again" in would.stdout
    assert command("repair", url=couchdb_url, prefix=couchdb_prefix).returncode == 0
    assert command("verify", url=couchdb_url, prefix=couchdb_prefix).returncode == 0


def test_without_a_database_the_exit_code_is_3_and_the_sentence_says_what_to_do() -> None:
    ended = command("verify", url="http://127.0.0.1:9", prefix="p")
    assert ended.returncode == 3
    assert "COUCHDB_URL" in ended.stderr


def test_what_is_erased_while_verify_looks_is_not_missing(client: Couch, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Installation(client)
    job = made.accept(1)
    made.store(job)
    missing = CouchBlobs.missing

    def erased_meanwhile(self: CouchBlobs, names: Iterable[str]) -> set[str]:
        wanted = list(names)
        erasure = Erasure(id=job.id, batch="b", at=timestamp(), by="me", due=timestamp(), state="purging")
        Erasures(client).add([erasure])
        for name in wanted:
            self.remove(name)
        return missing(self, wanted)

    monkeypatch.setattr(CouchBlobs, "missing", erased_meanwhile)
    found: list[Defect] = []
    Walk(client, made.blobs, Wanted(sample=None, batch="b"), found.append, lambda *_: None).run()
    assert [defect for defect in found if defect.kind != "counts-differ"] == []
