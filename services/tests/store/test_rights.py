"""What CouchDB lets each program's user do in each database; the stand-in is held to what CouchDB does."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from pydantic import SecretStr

from databases import remove_databases
from imagemill.process.stores import Stores, open_stores
from imagemill.settings import Settings
from imagemill.store import rights
from imagemill.store.audit import AuditStore
from imagemill.store.cameras import Cameras
from imagemill.store.months import month_of, months_about
from imagemill.store.rights import PROGRAMS

DENIED = (401, 403)
MONTH = month_of(datetime.now(UTC))
NAMES = [
    "ledger", "blobs-0", "blobs-3", "state", "cameras", "alerts", "pinned", "access", "resolutions",
    f"events-{MONTH}", f"activity-{MONTH}", f"audit-{MONTH}", f"deliveries-{MONTH}",
]  # fmt: skip


class Server:
    """CouchDB as one user after the other."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.url, self.settings, self.stores = url, settings, open_stores(settings)
        parts = urlsplit(url)
        self.base = f"{parts.scheme}://{parts.hostname}:{parts.port}"
        self.administrator = (parts.username or "", parts.password or "")

    def ask(self, who: str, method: str, path: str, **more: Any) -> requests.Response:
        user = self.administrator if who == "administrator" else (f"{self.settings.couchdb_prefix}-{who}", f"pw-{who}")
        database, _, rest = path.partition("/")
        address = f"{self.base}/{self.settings.couchdb_prefix}-{database}" + (f"/{rest}" if rest else "")
        return requests.request(method, address, auth=user, timeout=60, **more)

    def written(self, database: str, start: str) -> dict[str, Any]:
        """A document that is there already."""
        document: dict[str, Any] = {"_id": f"{start}{uuid.uuid4().hex}"}
        document["_rev"] = self.ask("administrator", "PUT", f"{database}/{document['_id']}", json=document).json()[
            "rev"
        ]
        return document

    def stored(self, database: str, document: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("administrator", "GET", f"{database}/{document['_id']}").json()
        return found


def _settings(url: str, prefix: str, **more: Any) -> Settings:
    return Settings(
        couchdb_url=url, couchdb_prefix=prefix, couchdb_passwords={name: f"pw-{name}" for name in PROGRAMS}, **more
    )


def _removed(url: str, prefix: str) -> None:
    remove_databases(url, prefix)
    for program in PROGRAMS:
        user = f"{url}/_users/org.couchdb.user:{prefix}-{program}"
        requests.delete(user, params={"rev": requests.get(user, timeout=60).json().get("_rev", "")}, timeout=60)


@pytest.fixture(scope="module")
def server(couchdb_url: str) -> Iterator[Server]:
    prefix = f"rights-{uuid.uuid4().hex[:8]}"
    settings = _settings(couchdb_url, prefix, couchdb_append_only=True)
    made = Server(couchdb_url, settings)
    made.stores.prepare(settings)
    yield made
    _removed(couchdb_url, prefix)


def _may(program: str, kind: rights.DocumentRights, action: str, is_member: bool) -> bool:
    return is_member and program in getattr(kind, action)


@pytest.mark.parametrize("database", NAMES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_may_do_in_a_database_what_it_needs_and_no_more(server: Server, program: str, database: str) -> None:
    its_rights = rights.rights_of(database)
    assert its_rights
    is_member = program in its_rights.members
    assert server.ask(program, "GET", f"{database}/_all_docs").status_code == (200 if is_member else 403)
    for start, kind in its_rights.kinds.items():
        new = {"_id": f"{start}{uuid.uuid4().hex}"}
        created = server.ask(program, "PUT", f"{database}/{new['_id']}", json=new)
        assert (created.status_code not in DENIED) == _may(program, kind, "create", is_member), created.text
        there = server.written(database, start)
        path = f"{database}/{there['_id']}"
        changed = server.ask(program, "PUT", path, json={**there, "changed": True})
        assert (changed.status_code not in DENIED) == _may(program, kind, "change", is_member), changed.text
        removed = server.ask(program, "DELETE", path, params={"rev": server.stored(database, there)["_rev"]})
        assert (removed.status_code not in DENIED) == _may(program, kind, "remove", is_member), removed.text


@pytest.mark.parametrize("database", NAMES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_changes_a_database_its_members_or_its_checks(server: Server, program: str, database: str) -> None:
    design = {"_id": "_design/rights", "views": {}}
    revision = server.stored(database, design).get("_rev")
    assert server.ask(program, "PUT", f"{database}/_design/mine", json={"views": {}}).status_code in DENIED
    bulk = server.ask(program, "POST", f"{database}/_bulk_docs", json={"docs": [{**design, "_rev": revision}]})
    assert bulk.status_code in DENIED or bulk.json()[0].get("error") in ("forbidden", "unauthorized")
    assert server.ask(program, "DELETE", f"{database}/{design['_id']}", params={"rev": revision}).status_code in DENIED
    open_to_all = {"admins": {"names": [], "roles": []}, "members": {"names": [], "roles": []}}
    assert not server.ask(program, "PUT", f"{database}/_security", json=open_to_all).ok
    assert server.ask(program, "POST", f"{database}/_purge", json={}).status_code in DENIED
    assert server.ask(program, "DELETE", database).status_code in DENIED
    assert server.stored(database, design).get("_rev") == revision
    members = server.ask("administrator", "GET", f"{database}/_security").json()["members"]["roles"]
    assert members != []


def test_what_is_written_once_has_no_second_version_beside_it(server: Server) -> None:
    outcome = server.written("ledger", "outcome:")
    forged = {"_id": outcome["_id"], "_rev": f"9-{'f' * 32}", "status": "failed"}
    body = {"docs": [forged], "new_edits": False}
    answer = server.ask("writer", "POST", "ledger/_bulk_docs", json=body)
    assert answer.status_code in DENIED or answer.json()[0]["error"] == "forbidden"
    assert server.stored("ledger", outcome)["_rev"] == outcome["_rev"]


def test_in_a_group_what_is_allowed_is_written_and_what_is_not_is_told(server: Server) -> None:
    key = uuid.uuid4().hex
    docs = [{"_id": f"job:{key}"}, {"_id": f"result:{key}"}, {"_id": f"key:{key}"}]
    rows = server.ask("api", "POST", "ledger/_bulk_docs", json={"docs": docs}).json()
    assert [row.get("error") for row in rows] == [None, "forbidden", None]
    assert "Only writer may create result:" in rows[1]["reason"]


def test_strangers_and_wrong_passwords_are_not_let_in(server: Server) -> None:
    name = f"{server.settings.couchdb_prefix}-ledger"
    assert requests.get(f"{server.base}/{name}", timeout=60).status_code in DENIED
    assert requests.get(f"{server.base}/{name}", auth=("rights-api", "guess"), timeout=60).status_code == 401


def test_every_database_that_is_made_has_rights(server: Server) -> None:
    made = server.stores.admin.database_names("")
    assert set(NAMES) <= set(made)
    assert [name for name in made if rights.rights_of(name) is None] == []
    assert rights.rights_of("ledger-copy") is None


def test_the_chart_names_the_same_programs() -> None:
    chart = Path(__file__).parents[3] / "charts" / "imagemill" / "templates" / "_helpers.tpl"
    found = re.search(r'define "imagemill.programs".*\n.*\(list (.*)\)', chart.read_text("utf-8"))
    assert found
    assert [name.strip('"') for name in found[1].split()] == list(PROGRAMS)


def test_months_to_come_are_secured_too(server: Server) -> None:
    for month in months_about(datetime.now(UTC)):
        assert server.ask("worker", "GET", f"events-{month}/_all_docs").status_code == 403
        assert server.ask("alerter", "GET", f"events-{month}/_all_docs").status_code == 200


def test_doing_it_again_writes_nothing(server: Server) -> None:
    design = server.stored("ledger", {"_id": "_design/rights"})
    user = f"{server.url}/_users/org.couchdb.user:{server.settings.couchdb_prefix}-api"
    before = requests.get(user, timeout=60).json()["_rev"]
    server.stores.prepare(server.settings)
    assert requests.get(user, timeout=60).json()["_rev"] == before
    assert server.stored("ledger", {"_id": "_design/rights"}) == design


def test_the_check_of_rights_is_no_entry_of_what_people_changed_and_no_camera(
    couchdb_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"rights-{uuid.uuid4().hex[:8]}"
    settings = _settings(couchdb_url, prefix)
    stores = open_stores(settings)
    stores.prepare(settings)
    audit = AuditStore(stores.admin)
    assert list(audit.newest_first(10)) == []
    made = audit.add("Ada", "admin", "camera.add", "yard")
    assert list(audit.newest_first(10)) == [made]
    assert Cameras(stores.admin).all() == {}
    assert "not a camera" not in capsys.readouterr().out
    _removed(couchdb_url, prefix)


@pytest.fixture
def plain(couchdb_url: str) -> Iterator[tuple[Stores, Settings]]:
    prefix = f"rights-{uuid.uuid4().hex[:8]}"
    settings = Settings(couchdb_url=couchdb_url, couchdb_prefix=prefix)
    stores = open_stores(settings)
    stores.prepare(settings)
    yield stores, settings
    _removed(couchdb_url, prefix)


def test_a_store_that_had_only_the_administrator_gets_users_and_keeps_working(
    plain: tuple[Stores, Settings], couchdb_url: str
) -> None:
    stores, old = plain
    assert stores.prepared()
    new = _settings(couchdb_url, old.couchdb_prefix)
    server = Server(couchdb_url, new)
    assert server.ask("api", "GET", "ledger/_all_docs").status_code == 401
    server.stores.prepare(new)
    assert server.ask("api", "GET", "ledger/_all_docs").status_code == 200
    assert stores.ledger.counts().accepted == 0  # a program of before, as the administrator


def test_busy_databases_check_what_is_written_only_when_that_is_wanted(
    plain: tuple[Stores, Settings], couchdb_url: str
) -> None:
    prefix = plain[1].couchdb_prefix
    for wanted in (False, True, False):
        settings = _settings(couchdb_url, prefix, couchdb_append_only=wanted)
        server = Server(couchdb_url, settings)
        server.stores.prepare(settings)
        job = server.written("ledger", "job:")
        changed = server.ask("api", "PUT", f"ledger/{job['_id']}", json={**job, "changed": True})
        assert changed.status_code == (403 if wanted else 201)
        assert server.ask("journal", "GET", f"ledger/{job['_id']}").status_code == 403
        revoked = server.written("audit-" + MONTH, "")
        assert server.ask("api", "PUT", f"audit-{MONTH}/{revoked['_id']}", json=revoked).status_code == 403


def test_a_new_password_takes_the_place_of_the_old_one(plain: tuple[Stores, Settings], couchdb_url: str) -> None:
    settings = _settings(couchdb_url, plain[1].couchdb_prefix)
    server = Server(couchdb_url, settings)
    server.stores.prepare(settings)
    changed = settings.model_copy(update={"couchdb_passwords": {**settings.couchdb_passwords, "api": SecretStr("new")}})
    server.stores.prepare(changed)
    assert server.ask("api", "GET", "ledger/_all_docs").status_code == 401
    user = (f"{settings.couchdb_prefix}-api", "new")
    assert requests.get(f"{server.base}/{settings.couchdb_prefix}-ledger", auth=user, timeout=60).status_code == 200
