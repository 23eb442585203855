"""An API behind its door: a test client on a database of its own, and tokens of every role."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from databases import remove_databases
from imagemill.api.services import Services, build
from imagemill.api.web.app import create_app
from imagemill.domain.access import Role
from imagemill.local.couch import CouchServer
from imagemill.settings import Settings

ADMIN_TOKEN = "a-token-of-the-settings-for-the-tests"


@dataclass
class Door:
    """One API process's app; asked as whoever has a token."""

    app: Flask
    services: Services
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def ask(self, method: str, path: str, who: str | None = ADMIN_TOKEN, **more: Any) -> TestResponse:
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens.get(who, who)}"
        return self.client.open(path, method=method, headers=headers, **more)

    def make(self, name: str, role: str, **more: Any) -> str:
        """A token's text."""
        answer = self.ask("POST", "/api/v1/tokens", json={"name": name, "role": role, **more})
        assert answer.status_code == 201, answer.text
        text: str = answer.json["token"]
        return text


@contextmanager
def doors(couch: CouchServer, **settings: Any) -> Iterator[Callable[..., Door]]:
    """Replicas, as many as are asked for, on one database."""
    prefix = f"door-{uuid.uuid4().hex[:8]}"
    opened: list[Services] = []

    def open_door(**own: Any) -> Door:
        given = {"login": True, "admin_token": ADMIN_TOKEN, "couchdb_url": couch.url, "couchdb_prefix": prefix}
        chosen = Settings(**given | settings | own)
        services = build(chosen)
        services.stores.prepare(services.settings)
        services.stores.there.set()
        opened.append(services)
        return Door(create_app(chosen, services), services)

    yield open_door
    for services in opened:
        services.registry.close(5)
    remove_databases(couch.url, prefix)


@pytest.fixture
def replicas(couch: CouchServer) -> Iterator[Callable[..., Door]]:
    with doors(couch) as made:
        yield made


@pytest.fixture(scope="module")
def door(couch: CouchServer) -> Iterator[Door]:
    """One for all tests of a module, with a token of each role, and one that is bound to a source."""
    with doors(couch) as made:
        one = made()
        one.tokens = {role: one.make(f"the {role}", role) for role in Role}
        one.tokens["bound"] = one.make("the gate's camera", "uploader", limits={"source": "gate"})
        yield one
