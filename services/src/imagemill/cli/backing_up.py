"""`imagemill backup` and `imagemill restore`: beside the database, where COUCHDB_URL is known; not through the API."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from urllib.parse import urlsplit

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from imagemill.cli import console, say
from imagemill.cli.beside import NOT_THERE, settings_and_stores
from imagemill.cli.options import AsJson

if TYPE_CHECKING:  # the database's client takes a second to load, and no other command needs it
    from imagemill.integrity.backup import Told
    from imagemill.store.couch import Couch
    from imagemill.store.replication import Progress as Copied
    from imagemill.store.replication import ReplicaAddress, Replicator

_FAILED, _REFUSED = 1, 2
_VARIABLE = "IMAGEMILL_BACKUP_URL"

Url = Annotated[
    str | None,
    typer.Argument(
        help=f"The other CouchDB. With a password: in {_VARIABLE} or --url-file, which no list of processes shows.",
        metavar="[URL]",
    ),
]
UrlFile = Annotated[Path | None, typer.Option("--url-file", help="A file that holds the address.", metavar="FILE")]
CopyPrefix = Annotated[
    str | None, typer.Option("--prefix", help="What the copy's databases begin with; else as ours do.", metavar="NAME")
]
Continuous = Annotated[bool, typer.Option("--continuous", help="Go on copying what comes, until --stop.")]
Status = Annotated[bool, typer.Option("--status", help="Say how far a continuous copy is; ends with 1 if it fails.")]
Stop = Annotated[bool, typer.Option("--stop", help="End a continuous copy.")]
Into = Annotated[bool, typer.Option("--into-existing", help="Add to what is there, instead of refusing.")]


@dataclass(frozen=True)
class _Places:
    """Our server and the other one, as our server reaches them."""

    couch: "Couch"
    other_couch: "Couch"
    ours: "ReplicaAddress"
    other: "ReplicaAddress"
    replicator: "Replicator"


def backup(
    url: Url = None,
    url_file: UrlFile = None,
    prefix: CopyPrefix = None,
    continuous: Continuous = False,
    status: Status = False,
    stop: Stop = False,
    json: AsJson = False,
) -> None:
    """Copy all databases to another CouchDB, by CouchDB's replication; once more copies what is new.

    The server which COUCHDB_URL names does it, as its administrator: it must reach itself and the other one by these
    addresses. Ends with 1 when something was not copied, with 3 without a database.
    """
    from imagemill.integrity import backup as work

    with _errors(), _places(url, url_file, prefix) as places:
        names = places.couch.database_names("")
        given = (places.replicator, places.ours, places.other, names)
        if stop:
            work.stop_copying(places.replicator, places.ours, places.other)
            console.line("Stopped; what was copied stays.")
        elif status:
            _tell_status(work.progress_of_all(*given), json)
        elif continuous:
            work.keep_copying(*given)
            console.line(f"CouchDB goes on copying {say.plural(len(names), 'database')}; --status says how far it is.")
        else:
            began = datetime.now(UTC)
            with _shown(len(names)) as told:
                written = work.copy_all(*given, told)
            _tell(names, written, began, places.other, json)


def restore(
    url: Url = None,
    url_file: UrlFile = None,
    prefix: CopyPrefix = None,
    into_existing: Into = False,
    json: AsJson = False,
) -> None:
    """Copy all databases back from another CouchDB; stop the programs before.

    Refuses, with 2, when there are documents already. Ends with 1 when something was not copied, with 3 without a
    database. Afterwards: imagemill verify --all
    """
    from imagemill.integrity import backup as work

    with _errors(), _places(url, url_file, prefix) as places:
        names = places.other_couch.database_names("")
        if not names:
            raise work.CopyFailed(f"there is no database {places.other.prefix}-… at {places.other.address}")
        if not into_existing:
            work.check_empty(places.couch)
        began = datetime.now(UTC)
        with _shown(len(names)) as told:
            written = work.copy_all(places.replicator, places.other, places.ours, names, told)
        _tell(names, written, began, places.ours, json)


def _tell(names: list[str], written: int, began: datetime, where: "ReplicaAddress", json: bool) -> None:
    since = began.isoformat(timespec="seconds").replace("+00:00", "Z")
    if json:
        console.as_json({"databases": len(names), "documents_written": written, "complete_until": since})
        return
    console.line(
        f"{say.plural(len(names), 'database')}, {say.plural(written, 'document')} written to {where.address}. "
        f"What was accepted after {since} may not be in it."
    )


def _tell_status(found: "dict[str, Copied]", json: bool) -> None:
    wrong = [name for name, copied in found.items() if copied.error or copied.is_over]
    if json:
        console.as_json({name: vars(copied) for name, copied in found.items()})
    else:
        rows = [(name, c.state, f"{c.written:,}", f"{c.pending:,}", c.error) for name, c in found.items()]
        console.table(["database", "state", "written>", "still to copy>", "error"], rows)
    sys.exit(_FAILED if wrong else 0)


@contextmanager
def _errors() -> Iterator[None]:
    from imagemill.integrity.backup import CopyFailed, NotEmpty
    from imagemill.store.couch import Conflict, StoreUnavailable

    try:
        yield
    except CopyFailed as error:
        _end(str(error), _FAILED)
    except NotEmpty as error:
        _end(f"{error}. Restore into an empty server or another prefix, or say --into-existing", _REFUSED)
    except (StoreUnavailable, Conflict) as error:
        _end(f"{error}. Is COUCHDB_URL the address of Imagemill's database, as its administrator?", NOT_THERE)


def _end(sentence: str, code: int) -> NoReturn:
    console.hint(f"error: {sentence.rstrip('.')}.")
    sys.exit(code)


@contextmanager
def _places(url: str | None, url_file: Path | None, prefix: str | None) -> Iterator[_Places]:
    from imagemill.store.couch import Couch
    from imagemill.store.replication import ReplicaAddress, Replicator

    address = _address(url, url_file)
    settings, stores = settings_and_stores()
    couch, own = stores.admin, settings.couchdb_admin_url or settings.couchdb_url
    theirs = prefix or settings.couchdb_prefix
    other = Couch(address, theirs, settings.couchdb_timeout_seconds, ca_file=settings.tls_ca_file)
    places = _Places(
        couch,
        other,
        ReplicaAddress(own.get_secret_value(), settings.couchdb_prefix),
        ReplicaAddress(address, theirs),
        Replicator(couch),
    )
    if places.ours.address == places.other.address and _overlap(places.ours.prefix, places.other.prefix):
        _end("the copy would be among what is copied: give another server, or another --prefix", _REFUSED)
    other.ping()
    places.replicator.check()
    yield places


def _overlap(one: str, other: str) -> bool:
    """Are the databases of one prefix among those of the other? `mill-copy-ledger` is one of `mill`."""
    return f"{one}-".startswith(f"{other}-") or f"{other}-".startswith(f"{one}-")


def _address(url: str | None, url_file: Path | None) -> str:
    if url is not None and urlsplit(url).password is not None:
        _end(f"a password among the arguments is seen by all on this machine; use {_VARIABLE} or --url-file", _REFUSED)
    try:
        found = url or (url_file.read_text("utf-8").strip() if url_file else os.environ.get(_VARIABLE, ""))
    except (OSError, UnicodeDecodeError) as error:
        _end(f"the file of the address cannot be read: {error}", _REFUSED)
    if urlsplit(found).scheme not in ("http", "https") or not urlsplit(found).hostname:
        _end(f"give the other CouchDB's address (http://host:5984) by {_VARIABLE}, --url-file or an argument", _REFUSED)
    return found.rstrip("/")


@contextmanager
def _shown(count: int) -> "Iterator[Told]":
    """How far it is, where somebody looks at it."""
    terminal = console.err()
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def told(name: str, copied: "Copied") -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(f"{name} ({len(tasks) + 1} of {count})", total=0)
            done = copied.written
            progress.update(tasks[name], completed=done, total=done + copied.pending)

        yield told
