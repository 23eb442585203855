"""Each program's own user at the servers that a run starts; servers that were given are used as the address says."""

import json
from pathlib import Path

from imagemill.local.servers import kept_secret
from imagemill.store.rights import PROGRAMS, address_as, role

# The one program that makes queues, databases and users.
PREPARING = "writer"


def couch_accounts(url: str, prefix: str, folder: Path) -> dict[str, dict[str, str]]:
    """What each program is told of CouchDB. Passwords are made once and kept in `folder`, for its owner's eyes only."""
    passwords = {program: kept_secret(folder / program) for program in PROGRAMS}
    told = {
        program: {"COUCHDB_URL": address_as(url, role(prefix, program), password), "IMAGEMILL_PREPARE": "false"}
        for program, password in passwords.items()
    }
    told[PREPARING] |= {
        "COUCHDB_ADMIN_URL": url,
        "IMAGEMILL_COUCHDB_PASSWORDS": json.dumps(passwords),
        "IMAGEMILL_PREPARE": "true",
    }
    return told
