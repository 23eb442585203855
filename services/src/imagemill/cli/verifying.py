"""`imagemill verify` and `imagemill repair`: beside the database, where COUCHDB_URL is known; not through the API."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from imagemill.cli import console, say
from imagemill.cli.beside import away, counted, settings_and_stores
from imagemill.cli.options import AsJson

if TYPE_CHECKING:  # the database's client takes a second to load, and no other command needs it
    from imagemill.integrity.defects import Report
    from imagemill.process.stores import Stores
    from imagemill.settings import Settings
    from imagemill.store.blobs import Blobs

_WRONG = 1

Batch = Annotated[str | None, typer.Option("--batch", help="Only this batch; blobs are not gone through then.")]
Sample = Annotated[int, typer.Option("--sample", min=0, help="Read and hash about so many blobs.")]
All = Annotated[bool, typer.Option("--all", help="Read and hash every blob.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
From = Annotated[
    str | None, typer.Option("--from", help="Copies: a CouchDB (replica or backup), s3:// or file://.", metavar="URL")
]


def verify(batch: Batch = None, sample: Sample = 1000, every: All = False, json: AsJson = False) -> None:
    """Check that everything that was promised is there. Ends with 1 if not, with 3 without a database.

    It goes through the ledger job by job and through all blobs, at the database which COUCHDB_URL names: for cron, and
    after a restore. In a cluster: kubectl exec deploy/RELEASE-imagemill-writer -- imagemill verify
    """
    from imagemill.integrity.walk import Walk, Wanted
    from imagemill.store.blobs.places import open_blobs
    from imagemill.store.couch import StoreUnavailable

    settings, stores = settings_and_stores()
    wanted = Wanted(batch, None if every else sample)
    try:
        with counted("jobs", "blobs") as told:
            blobs = open_blobs(settings, stores.admin)
            report = Walk(stores.admin, blobs, wanted, lambda _: None, told).run()
    except StoreUnavailable as error:
        away(error)
    if json:
        console.as_json(report.as_dict())
    else:
        _print(report)
    sys.exit(0 if report.sound else _WRONG)


def _print(report: "Report") -> None:
    from imagemill.integrity.defects import KINDS

    console.line(
        f"{report.jobs:,} accepted = {report.stored:,} stored + {report.failed:,} failed + "
        f"{report.in_flight:,} in flight, counted one by one"
        + (f"; {report.erased:,} of them erased" if report.erased else "")
    )
    if report.blobs:
        console.line(
            f"{report.blobs:,} blobs, {report.blobs_read:,} of them read ({say.size(report.bytes_read)}); "
            f"{report.orphans:,} are not needed"
        )
    for kind, count in report.wrong.items():
        console.line(f"{kind}: {count:,}. {KINDS[kind]}", style="red")
    for defect in report.examples:
        console.line(f"  {defect.kind}  {defect.subject}  {defect.detail}".rstrip())
    console.line("Everything is there." if report.sound else "Not everything is as it was promised.")


def repair(dry_run: DryRun = False, copies: From = None, json: AsJson = False) -> None:
    """Mend what `verify` finds, where that is safe, and say what is done. Ends with 1 if something is left.

    Results are made again of their originals, bytes copied from a replica, one of two versions kept, forgotten pictures
    published again. Nothing is removed but a second version and wrong bytes.
    """
    from imagemill.integrity.repair import Mending, Repair
    from imagemill.store.blobs.places import open_blobs
    from imagemill.store.couch import Conflict, StoreUnavailable

    steps: list[Mending] = []

    def told(step: Mending) -> None:
        steps.append(step)
        if not json:
            would = "would: " if dry_run and step.mended else ""
            console.line(f"{step.defect.kind}  {step.defect.subject}  {would}{step.what}")

    settings, stores = settings_and_stores()
    try:
        with counted("jobs", "blobs") as progress:
            blobs, others = open_blobs(settings, stores.admin), _copies(copies, settings, stores) if copies else None
            left = Repair(stores.admin, blobs, others, dry_run, told).run(progress)
    except (StoreUnavailable, Conflict) as error:
        away(error)
    if json:
        rows = [
            {"kind": step.defect.kind, "subject": step.defect.subject, "what": step.what, "mended": step.mended}
            for step in steps
        ]
        console.as_json({"dry_run": dry_run, "steps": rows, "left": left})
    elif not steps:
        console.line("There is nothing to mend.")
    sys.exit(_WRONG if left else 0)


def _copies(url: str, settings: "Settings", stores: "Stores") -> "Blobs":
    from imagemill.store.blobs.couchdb import CouchBlobs
    from imagemill.store.blobs.places import blobs_at
    from imagemill.store.couch import Couch

    if not url.startswith(("http://", "https://")):
        return blobs_at(url, settings, stores.admin)
    timeout = settings.couchdb_timeout_seconds
    return CouchBlobs(Couch(url, settings.couchdb_prefix, timeout, ca_file=settings.tls_ca_file))
