"""Which program may do what in which database, and the documents by which CouchDB holds them to it.

Each program has a user of its own, whose role has its name. Members of a database may read it; what they may write is
decided by the beginning of a document's id. The server's administrators may do everything: repair is theirs.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlsplit

Programs = tuple[str, ...]
Document = dict[str, Any]
PROGRAMS: Programs = ("api", "worker", "writer", "journal", "camera", "analyzer", "alerter")
DESIGN_ID = "_design/rights"


@dataclass(frozen=True)
class DocumentRights:
    """The programs that may create, change and remove documents of one kind."""

    create: Programs = ()
    change: Programs = ()
    remove: Programs = ()


@dataclass(frozen=True)
class DatabaseRights:
    """The programs that may read a database, and its kinds of documents by the beginning of their ids.

    `busy`: every picture writes here, and each check of a write costs CouchDB more than a millisecond of CPU time.
    """

    members: Programs
    kinds: Mapping[str, DocumentRights]
    busy: bool = False


def _changed_by(*programs: str) -> DocumentRights:
    return DocumentRights(create=programs, change=programs, remove=programs)


# One version of a document of which a cluster has two is removed by the writer.
_LEDGER = DatabaseRights(
    ("api", "worker", "writer", "alerter"),
    {
        "job:": DocumentRights(create=("api",), remove=("writer",)),
        "outcome:": DocumentRights(create=("api", "writer"), remove=("writer",)),
        "result:": DocumentRights(create=("writer",), remove=("writer",)),
        "rejection:": DocumentRights(create=("api",), remove=("writer",)),
        "key:": DocumentRights(create=("api",), remove=("writer",)),
        # The API may take back what is not due yet; the writer says how far it is.
        "pin:": _changed_by("api"),
        "erasure:": DocumentRights(create=("api", "writer"), change=("writer",), remove=("api", "writer")),
    },
    busy=True,
)
# What was erased the writer removes, and previews of it beside what stays.
_BLOBS_KINDS = {"": DocumentRights(create=("api", "worker", "writer"), change=("writer",), remove=("writer",))}
_BLOBS = DatabaseRights(("api", "worker", "writer"), _BLOBS_KINDS, busy=True)
_STATE = DatabaseRights(
    PROGRAMS,
    {
        "lease:": _changed_by("writer", "analyzer", "alerter"),
        "watermark:": _changed_by("writer"),
        "conflicts:": _changed_by("writer"),
        "pools": _changed_by("writer"),
        "purging": _changed_by("writer"),
        "retention:": _changed_by("writer"),
        "webhooks:": _changed_by("alerter"),
        "attempts:": _changed_by("worker"),
        # Of an API process that does not live any more the writer removes what it held.
        "held:": DocumentRights(create=("api",), change=("api",), remove=("api", "writer")),
        "camera:": _changed_by("camera"),
        "analyzer:": _changed_by("analyzer"),
    },
)
_ALERTS = DatabaseRights(
    ("api", "alerter"),
    {
        "alert:": DocumentRights(create=("alerter",)),
        "numbered:": DocumentRights(create=("alerter",)),
        "sent:": DocumentRights(create=("alerter",)),
        "test:": DocumentRights(create=("alerter",)),
        "channels": _changed_by("alerter"),
        # Whoever acknowledged an alert may take that back.
        "acknowledged:": _changed_by("api"),
        "snooze:": DocumentRights(create=("api",)),
        "snooze-end:": DocumentRights(create=("api",)),
        "rule:": _changed_by("api"),
        "pin:": _changed_by("api"),
    },
)
_EVENTS = DatabaseRights(
    ("api", "camera", "analyzer", "alerter"),
    {
        "event:": DocumentRights(create=("camera", "analyzer"), change=("camera", "analyzer")),
        "held:": DocumentRights(create=("alerter",)),
    },
)
# By the name, or by the beginning of the names, of databases.
DATABASES = {
    "ledger": _LEDGER,
    "blobs-": _BLOBS,
    "state": _STATE,
    "cameras": DatabaseRights(("api", "camera", "analyzer"), {"": _changed_by("api")}),
    "alerts": _ALERTS,
    "events-": _EVENTS,
    # Copies that outlive their month are made by the retention of months, as the administrator.
    "pinned": DatabaseRights(("api", "alerter"), {"event:": DocumentRights(remove=("api",))}),
    "activity-": DatabaseRights(("api", "journal"), {"": DocumentRights(create=("journal",))}, busy=True),
    # Who sends writes what came of it; the API lets what failed be sent again.
    "deliveries-": DatabaseRights(
        ("api", "alerter"),
        {"": DocumentRights(create=("alerter",), change=("api", "alerter")), "watch:": _changed_by("alerter")},
        busy=True,
    ),
    "resolutions": DatabaseRights(("api",), {"": _changed_by("api")}),
    "access": DatabaseRights(("api",), {"": _changed_by("api")}),
    "audit-": DatabaseRights(("api",), {"": DocumentRights(create=("api",))}),
}

# A document with a history that CouchDB did not see being made (`new_edits: false`) counts as changed: nobody may put
# another version beside what is written once.
_VALIDATE = """
function (doc, old, context) {
  if (context.roles.indexOf('_admin') >= 0) { return; }
  var kinds = KINDS, prefix = 'PREFIX-', kind = null;
  for (var start in kinds) {
    if (doc._id.indexOf(start) === 0 && (kind === null || start.length > kind.length)) { kind = start; }
  }
  var known = (old && !old._deleted) || (doc._revisions && doc._revisions.start > 0);
  var action = doc._deleted ? 'remove' : known ? 'change' : 'create';
  var programs = kind === null ? [] : kinds[kind][action];
  for (var i = 0; i < programs.length; i++) {
    if (context.roles.indexOf(prefix + programs[i]) >= 0) { return; }
  }
  throw({forbidden: 'Only ' + (programs.join(', ') || 'an administrator') + ' may ' + action + ' ' + doc._id + '.'});
}"""


def rights_of(database: str) -> DatabaseRights | None:
    """The rights in a database, named without the installation's prefix; None for one that is not the product's."""
    for name, rights in DATABASES.items():
        if database == name or (name.endswith("-") and database.startswith(name)):
            return rights
    return None


def role(prefix: str, program: str) -> str:
    """The name of a program's user, and of its only role; several installations can share a server."""
    return f"{prefix}-{program}"


def security(prefix: str, rights: DatabaseRights) -> Document:
    """The `_security` object of a database: no program is its administrator."""
    members = [role(prefix, program) for program in rights.members]
    return {"admins": {"names": [], "roles": ["_admin"]}, "members": {"names": [], "roles": ["_admin", *members]}}


def design(prefix: str, rights: DatabaseRights) -> Document:
    """The design document that says which writes a database takes."""
    kinds = json.dumps({start: asdict(kind) for start, kind in rights.kinds.items()})
    function = _VALIDATE.replace("KINDS", kinds).replace("PREFIX", prefix).strip()
    return {"_id": DESIGN_ID, "language": "javascript", "validate_doc_update": function}


def user(prefix: str, program: str, password: str) -> Document:
    """The document of a program's user; CouchDB keeps a hash of the password."""
    name = role(prefix, program)
    return {
        "_id": f"org.couchdb.user:{name}", "type": "user", "name": name, "roles": [name], "password": password,
    }  # fmt: skip


def address_as(url: str, name: str, password: str) -> str:
    """The address of the same server as another user."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{quote(name, '')}:{quote(password, '')}@{host}").geturl()
