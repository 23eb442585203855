"""What a request must look like to be heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from api.access.conftest import ADMIN_TOKEN, Door
from imagemill.api.access.request_checks import is_allowed_host, is_from_elsewhere, login_target

NAMES = frozenset({"localhost", "mill.example", "*.lan.example"})


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True), ("localhost:8080", True), ("MILL.example", True), ("mill.example.", True),
        ("127.0.0.1:8080", True), ("[::1]:8080", True), ("192.168.1.7", True), ("a.lan.example", True),
        ("lan.example", False), ("evil.example", False), ("mill.example.evil.example", False), ("", False),
        ("localhost@evil.example", False), ("[::1", False),
    ],
)  # fmt: skip
def test_only_known_names_and_addresses_are_answered(host: str, allowed: bool) -> None:
    assert is_allowed_host(host, NAMES) is allowed


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://mill.example"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Origin": "http://mill.example"}, False),
        ({"Origin": "https://mill.example"}, False),
        ({"Origin": "http://mill.example:3000"}, True),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_pages_of_other_sites_are_known_by_what_browsers_say(headers: dict[str, str], elsewhere: bool) -> None:
    assert is_from_elsewhere(Headers(headers), "mill.example", {"https://app.example"}) is elsewhere


@given(st.text())
def test_a_login_leads_nowhere_but_to_a_path_of_ours(given_target: str) -> None:
    target = login_target(given_target)
    assert target.startswith("/")
    assert not target.startswith(("//", "/\\"))


CHANGES = [
    ("POST", "/api/v1/cameras", {"json": {"name": "x", "address": "http://10.0.0.1/"}}),
    ("POST", "/api/v1/snoozes", {"json": {"seconds": 2592000}}),
    ("POST", "/cameras/x/remove", {}),
    ("POST", "/alerts/rules/everything/remove", {}),
    ("POST", "/api/v1/images", {"data": b"x"}),
    ("DELETE", "/api/v1/rules/everything", {}),
]
ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=lambda value: value if isinstance(value, str) else "")
def test_no_other_site_changes_anything(
    door: Door, method: str, path: str, body: dict[str, object], headers: dict[str, str]
) -> None:
    client = door.client
    client.post("/login", data={"token": ADMIN_TOKEN})
    answer = client.open(path, method=method, headers=headers, **body)
    assert answer.status_code == 403
    assert "other sites" in answer.text


def test_a_name_that_leads_here_by_rebinding_is_not_answered(door: Door) -> None:
    answer = door.ask("GET", "/api/v1/cameras", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json["code"]) == (421, "unknown-host")
    assert door.ask("GET", "/api/v1/cameras", headers={"Host": "127.0.0.1:9"}).status_code == 200


def test_a_login_alone_does_not_let_a_program_change_things(door: Door) -> None:
    client = door.client
    client.post("/login", data={"token": ADMIN_TOKEN})
    body = {"seconds": 60}
    assert client.post("/api/v1/snoozes", json=body).json["code"] == "cross-site"
    assert client.post("/api/v1/snoozes", json=body, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 201


def test_a_form_without_its_token_is_out_of_date(door: Door) -> None:
    client = door.client
    client.post("/login", data={"token": ADMIN_TOKEN})
    answer = client.post("/access/tokens", data={"name": "x", "role": "viewer"})
    assert answer.status_code == 403
    assert "load the page again" in answer.text


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_json_must_be_called_json(door: Door, content_type: str) -> None:
    answer = door.ask("POST", "/api/v1/cameras", data='{"name": "x"}', content_type=content_type)
    assert (answer.status_code, answer.json["code"]) == (415, "not-json")


def test_every_answer_has_the_headers(door: Door) -> None:
    for path in ("/api/v1/totals", "/", "/static/page.css", "/api/v1/images/nothing", "/nothing"):
        answer = door.ask("GET", path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert answer.headers["Referrer-Policy"] == "same-origin", path
        answer.close()
    assert door.ask("GET", "/api/v1/totals").headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in door.ask("GET", "/").headers
