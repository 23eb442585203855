"""Every route × every role: who may not, cannot; and no route is forgotten."""

import re

import pytest
from flask import Flask
from werkzeug.routing import Rule

from api.access.conftest import Door
from imagemill.api.access.permissions import MissingPermission, check_routes, permission_of
from imagemill.domain.access import GRANTS, Permission, Role

WHO = (None, "bound", *Role)
# What needs no login at all, and why: the login itself, and what tells who one is.
PUBLIC = {
    "static", "access.whoami", "pages.login_page", "pages.login_form", "pages.logout_form", "pages.oidc_begin",
    "pages.oidc_callback",
}  # fmt: skip


def _cases(app: Flask) -> list[tuple[str, Rule, Permission]]:
    return [
        (method, rule, permission_of(app, rule.endpoint))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def _allowed(who: str | None, permission: Permission) -> bool:
    if permission is Permission.PUBLIC:
        return True
    if who is None:
        return False
    if who == "bound":
        return permission is Permission.UPLOAD
    return permission in GRANTS[Role(who)]


def _address(rule: Rule) -> str:
    return re.sub(r"<(int:)?\w+(:\w+)?>", lambda found: "7" if found[1] else "nothing", rule.rule)


@pytest.mark.parametrize("who", WHO)
def test_every_route_lets_in_whom_it_should_and_nobody_else(door: Door, who: str | None) -> None:
    cases = _cases(door.app)
    assert len(cases) > 90
    wrong = []
    for method, rule, permission in cases:
        if rule.endpoint == "reads.events" and _allowed(who, permission):
            continue  # a stream without end: test_revoking has it
        status = door.ask(method, _address(rule), who).status_code
        refused = status in (401, 403) or (status == 303 and who is None and method == "GET")
        if refused is _allowed(who, permission) and rule.endpoint not in PUBLIC:
            wrong.append((method, rule.rule, permission, status))
    assert not wrong


def test_what_is_public_is_known(door: Door) -> None:
    public = {rule.endpoint for _, rule, permission in _cases(door.app) if permission is Permission.PUBLIC}
    assert public == PUBLIC


def test_a_route_that_does_not_say_what_it_needs_keeps_the_program_from_starting() -> None:
    app = Flask("forgotten")
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    with pytest.raises(MissingPermission, match="'forgotten' does not say what it needs"):
        check_routes(app)


def test_who_is_not_known_gets_no_counts_and_no_sections(door: Door) -> None:
    page = door.ask("GET", "/nothing-here", None, headers={"Accept": "text/html"}).text
    assert "There is no page at /nothing-here" in page
    assert "accepted" not in page
    assert "/pictures?" not in page
    assert "Failures" not in page


def test_a_person_is_led_to_the_login_and_back(door: Door) -> None:
    answer = door.ask("GET", "/pictures?batch=a", None, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.location) == (303, "/login?next=%2Fpictures%3Fbatch%3Da")


def test_a_program_is_told_what_to_send(door: Door) -> None:
    answer = door.ask("GET", "/api/v1/images", None)
    assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Authorization: Bearer" in answer.json["detail"]


def test_who_may_not_is_told_which_role_may(door: Door) -> None:
    answer = door.ask("GET", "/api/v1/tokens", Role.OPERATOR)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert answer.json["detail"] == "'the operator' is operator; this needs the role admin."


def test_a_wrong_token_is_not_made_good_by_a_session(door: Door) -> None:
    client = door.client
    client.post("/login", data={"token": door.tokens[Role.ADMIN]})
    assert client.get("/api/v1/totals").status_code == 200
    assert client.get("/api/v1/totals", headers={"Authorization": "Bearer wrong"}).status_code == 401
