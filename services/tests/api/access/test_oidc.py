"""Single sign-on against a real OpenID Connect provider, which the test starts."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from flask.testing import FlaskClient

from api.access.conftest import Door
from imagemill.api.access.oidc import OidcProvider
from imagemill.domain.errors import Invalid
from imagemill.local.ports import free_ports
from imagemill.local.process import kill_child, start_child
from imagemill.settings import Settings
from mill import wait_for

ROLES = {"staff": "viewer", "camera-team": "operator"}
USER = "ann@mill.example"
Replicas = Callable[..., Door]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A process of its own, as it would be."""
    (port,) = free_ports(1)
    process = start_child([sys.executable, "-m", "oidc_provider_mock", "--port", str(port)], environment=os.environ,
                          output=subprocess.DEVNULL)  # fmt: skip
    try:
        wait_for(lambda: _answers(f"http://localhost:{port}"), "the provider to be ready")
        yield f"http://localhost:{port}"
    finally:
        kill_child(process)


def _answers(address: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{address}/.well-known/openid-configuration", timeout=10).ok
    return False


@pytest.fixture
def door(replicas: Replicas, provider: str) -> Door:
    return replicas(
        oidc_issuer=provider, oidc_client_secret="secret", oidc_roles=ROLES, page_url="http://localhost:8080"
    )


def _settings(provider: str, **more: str) -> Settings:
    return Settings(oidc_issuer=provider, oidc_client_secret="secret", oidc_roles=ROLES, **more)


def _user(provider: str, **claims: Any) -> None:
    answer = requests.put(f"{provider}/users/{quote(USER)}", json=claims, timeout=30)
    assert answer.status_code == 204


def _sent_back(client: FlaskClient, target: str = "/pictures") -> str:
    """Where the provider sends the browser once the user has said who he is."""
    began = client.get(f"/login/oidc?next={target}", base_url="http://localhost:8080")
    assert began.status_code == 303
    assert parse_qs(urlsplit(began.location).query)["code_challenge_method"] == ["S256"]
    answer = requests.post(began.location, data={"sub": USER}, allow_redirects=False, timeout=30)
    return answer.headers["Location"]


def test_who_is_let_in_by_the_provider_has_the_strongest_role_of_his_groups(door: Door, provider: str) -> None:
    _user(provider, preferred_username="ann", groups=["staff", "camera-team", "others"])
    client = door.client
    answer = client.get(_sent_back(client))
    assert (answer.status_code, answer.location) == (303, "/pictures")
    who = client.get("/api/v1/whoami", base_url="http://localhost:8080").json
    assert (who["name"], who["role"]) == ("ann", "operator")
    assert door.ask("DELETE", "/api/v1/logins/ann").json == {"ended": 1}
    assert client.get("/api/v1/whoami", base_url="http://localhost:8080").status_code == 401


def test_who_has_no_role_is_not_let_in(door: Door, provider: str) -> None:
    _user(provider, preferred_username="eve", groups=["others"])
    client = door.client
    answer = client.get(_sent_back(client))
    assert answer.status_code == 422
    assert "is in no group that has a role here" in answer.text
    assert client.get("/api/v1/whoami", base_url="http://localhost:8080").status_code == 401


def test_an_answer_counts_for_the_browser_that_began_and_only_once(door: Door, provider: str) -> None:
    _user(provider, preferred_username="ann", groups=["staff"])
    client, victim = door.client, door.client
    address = _sent_back(client)
    assert victim.get(address).status_code == 422
    assert client.get(address).status_code == 303
    assert client.get(address).status_code == 422


def test_a_forged_state_is_refused(door: Door, provider: str) -> None:
    _user(provider, preferred_username="ann", groups=["staff"])
    client = door.client
    address = _sent_back(client)
    forged = address.replace(f"state={parse_qs(urlsplit(address).query)['state'][0]}", "state=forged")
    assert client.get(forged).status_code == 422


def test_a_word_for_somebody_else_is_not_believed(provider: str) -> None:
    _user(provider, preferred_username="ann", groups=["staff"])
    mine = OidcProvider(_settings(provider))
    other = OidcProvider(_settings(provider, oidc_client_id="another"))
    address, pending = other.begin("/")
    back = requests.post(address, data={"sub": USER}, allow_redirects=False, timeout=30).headers["Location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    token = other._exchanged(code, pending.verifier)
    mine.begin("/")
    with pytest.raises(Invalid, match="cannot be believed"):
        mine._claims(token, pending.nonce)
    with pytest.raises(Invalid, match="cannot be believed"):
        other._claims(token, "another nonce")
    late = OidcProvider(_settings(provider, oidc_client_id="another"), clock=lambda: 4e9)
    late.begin("/")
    with pytest.raises(Invalid, match="cannot be believed"):
        late._claims(token, pending.nonce)


def test_a_provider_that_does_not_answer_is_told(replicas: Replicas) -> None:
    door = replicas(oidc_issuer="http://localhost:9", oidc_roles=ROLES)
    answer = door.client.get("/login/oidc", headers={"Accept": "text/html"})
    assert answer.status_code == 504
    assert "does not answer" in answer.text
