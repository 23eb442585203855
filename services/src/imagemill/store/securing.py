"""Makes CouchDB hold every program to its rights: users, members of databases, and checks of what is written.

Everything is asked for first and written only where it differs, so that it can be done again and again.
"""

from collections.abc import Callable, Mapping

import structlog

from imagemill.store import rights
from imagemill.store.couch import Couch, Database, StoreUnavailable

log = structlog.get_logger(__name__)
# Opens the same server as another user: name and password.
Open = Callable[[str, str], Couch]


def secure(couch: Couch, passwords: Mapping[str, str], append_only: bool, as_user: Open) -> None:
    """Make the users of these programs, and give each database its members and checks; `couch` is an administrator's.

    `append_only`: busy databases check what is written too. Raises StoreUnavailable.
    """
    for database, its_rights in _databases(couch):
        database.secure(rights.security(couch.prefix, its_rights))
        _check_writes(database, rights.design(couch.prefix, its_rights), append_only or not its_rights.busy)
    users = couch.users()
    users.create()
    for program, password in passwords.items():
        _make_user(users, rights.user(couch.prefix, program, password), as_user)


def _databases(couch: Couch) -> list[tuple[Database, rights.DatabaseRights]]:
    names = couch.database_names("")
    found = [(couch.database(name), rights.rights_of(name)) for name in names]
    return [(database, its_rights) for database, its_rights in found if its_rights is not None]


def _check_writes(database: Database, design: rights.Document, wanted: bool) -> None:
    there = database.get_many([design["_id"]]).get(design["_id"])
    revision = {"_rev": there["_rev"]} if there else {}
    if wanted and {**(there or {}), **design} != there:
        database.bulk([{**design, **revision}])
    elif there and not wanted:
        database.bulk([{"_id": design["_id"], **revision, "_deleted": True}])


def _make_user(users: Database, user: rights.Document, as_user: Open) -> None:
    """Writing one whose password is known would hash it anew, and every program would be asked for it again."""
    if _is_known(as_user(user["name"], user["password"]), user["roles"]):
        return
    there = users.get(user["_id"])
    users.put({**user, **({"_rev": there["_rev"]} if there else {})})
    log.info("a program's user was made, or has another password now", user=user["name"])


def _is_known(couch: Couch, roles: list[str]) -> bool:
    try:
        return couch.roles() == roles
    except StoreUnavailable:
        return False
