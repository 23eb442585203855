"""Each program's own user at the servers that a run starts; servers that were given are used as the address says."""

import json
from pathlib import Path

import requests

from imagemill.local.servers import LocalError, kept_secret
from imagemill.store.rights import PROGRAMS, address_as, role
from imagemill.wire.rights import BROKER_RIGHTS

# The one program that makes queues, databases and users.
PREPARING = "writer"
_TIMEOUT_SECONDS = 30
DEFAULT_VHOST = "%2F"
Accounts = dict[str, dict[str, str]]


def couch_accounts(url: str, prefix: str, folder: Path) -> Accounts:
    """What each program is told of CouchDB. Passwords are made once and kept in `folder`, for its owner's eyes only."""
    passwords = _passwords(folder)
    told = {
        program: {"COUCHDB_URL": address_as(url, role(prefix, program), password), **_prepare(program)}
        for program, password in passwords.items()
    }
    told[PREPARING] |= {"COUCHDB_ADMIN_URL": url, "IMAGEMILL_COUCHDB_PASSWORDS": json.dumps(passwords)}
    return told


def broker_accounts(url: str, folder: Path) -> Accounts:
    """What each program is told of the broker, whose users `make_broker_users` makes."""
    return {
        program: {"AMQP_URL": address_as(url, program, password), **_prepare(program)}
        for program, password in _passwords(folder).items()
    }


def make_broker_users(management_url: str, administrator: tuple[str, str], folder: Path, vhost: str) -> None:
    """Make the programs' users, or set their passwords and rights anew; `vhost` is as it stands in an address."""
    with requests.Session() as session:
        session.auth = administrator
        session.trust_env = False
        for program, password in _passwords(folder).items():
            rights = BROKER_RIGHTS[program]
            _put(session, f"{management_url}/api/users/{program}", {"password": password, "tags": ""})
            _put(session, f"{management_url}/api/permissions/{vhost}/{program}", vars(rights))


def _put(session: requests.Session, url: str, content: dict[str, str]) -> None:
    try:
        session.put(url, json=content, timeout=_TIMEOUT_SECONDS).raise_for_status()
    except requests.RequestException as error:
        raise LocalError(f"RabbitMQ did not take the user of a program ({url}): {error}") from error


def _passwords(folder: Path) -> dict[str, str]:
    return {program: kept_secret(folder / program) for program in PROGRAMS}


def _prepare(program: str) -> dict[str, str]:
    return {"IMAGEMILL_PREPARE": str(program == PREPARING).lower()}
