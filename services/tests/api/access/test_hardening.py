"""What a hostile client, user or neighbour would try next."""

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import g
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

import pictures
from api.access.conftest import ADMIN_TOKEN, Door
from imagemill.api.access.oidc import OidcProvider
from imagemill.api.access.pending_login import PendingLogin
from imagemill.api.alerts import routes
from imagemill.api.alerts.service import AlertStores
from imagemill.domain.access import Role
from imagemill.domain.errors import Invalid
from imagemill.domain.metadata import without_metadata
from imagemill.settings import Settings
from imagemill.store.couch import StoreUnavailable

Replicas = Callable[..., Door]


@pytest.mark.parametrize(
    "settings",
    [
        {"proxy_secret": "s"}, {"oidc_issuer": "https://sso.example"}, {"page_url": "https://mill.example"},
        {"allowed_hosts": ["mill.example"]}, {"host": "0.0.0.0"},
    ],
)  # fmt: skip
def test_what_others_reach_by_a_proxy_on_this_machine_needs_a_login_too(settings: dict[str, Any]) -> None:
    assert Settings(**settings).needs_login
    assert not Settings().needs_login


@pytest.mark.parametrize("settings", [{"proxy_secret": "s"}, {"oidc_issuer": "https://sso.example"}])
def test_no_login_together_with_logins_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="leave one of the two away"):
        Settings(login=False, **settings)


# --- what the database alone cannot make ------------------------------------------------------------------------


def test_who_can_write_to_the_database_makes_no_more_of_his_token(replicas: Replicas) -> None:
    door = replicas(token_key="k")
    mine = door.make("mine", "viewer")
    database = door.services.stores.couch.database("access")
    document = database.get(f"token:{mine.split('_')[1]}")
    assert document is not None
    database.put({**document, "role": "admin"})
    door.services.registry.refresh()
    assert door.ask("GET", "/api/v1/totals", mine).status_code == 401


def test_who_can_write_to_the_database_makes_no_more_of_his_login(replicas: Replicas) -> None:
    door = replicas()
    client = door.client
    client.post("/login", data={"token": door.make("mine", "viewer")})
    assert client.get("/api/v1/totals").status_code == 200
    database = door.services.stores.couch.database("access")
    (session,) = database.documents("session:", "session:\ufff0", 10)
    database.put({**session, "role": "admin", "token_id": None})
    door.services.registry.refresh()
    assert client.get("/api/v1/totals").status_code == 401


def test_without_a_key_of_its_own_the_admins_token_is_the_key(replicas: Replicas) -> None:
    one, other = replicas(), replicas(admin_token="another-token-of-the-settings-for-tests")
    assert other.ask("GET", "/api/v1/totals", one.make("mine", "viewer")).status_code == 401


# --- what is written counts, whatever happens then ----------------------------------------------------------------


def test_a_revocation_is_written_down_also_when_it_cannot_be_read_back(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = replicas()
    token_id = door.make("mine", "viewer").split("_")[1]
    door.services.registry.refresh()

    def away(since: str) -> Any:
        raise StoreUnavailable(since)

    with monkeypatch.context() as broken:
        broken.setattr(door.services.registry._store, "changed", away)
        assert door.ask("DELETE", f"/api/v1/tokens/{token_id}").status_code == 204
    assert door.ask("GET", "/api/v1/audit").json["entries"][0]["action"] == "token.revoke"


def test_the_first_admin_is_made_in_the_end_when_the_first_attempt_fails(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = replicas(admin_token=None).services.registry

    def away(token: Any) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(registry._store, "add_token", away)
        with pytest.raises(StoreUnavailable):
            registry._round()
    registry._round()
    text = capsys.readouterr().out.split("once: ")[1].split()[0]
    found = registry.bearer(text)
    assert found is not None
    assert found.role is Role.ADMIN


def test_who_is_asked_for_again_and_again_is_answered_from_memory(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = replicas()
    registry = door.services.registry
    principal = registry.bearer(door.make("mine", "viewer"))
    assert principal is not None
    monkeypatch.setattr(registry._store, "changed", lambda _: pytest.fail("it asked the database"))
    assert registry.still(principal)
    registry._fresh_at = time.monotonic() - 61
    assert not registry.still(principal)


def test_sessions_of_a_token_are_bounded_and_logging_in_has_its_rate(replicas: Replicas) -> None:
    door = replicas()
    token = door.make("mine", "viewer")
    first = door.client
    first.post("/login", data={"token": token})
    for _ in range(50):
        door.client.post("/login", data={"token": token})
    assert first.get("/api/v1/totals").status_code == 401
    slow = door.make("slow", "viewer", limits={"requests_per_second": 0.1})
    assert [door.client.post("/login", data={"token": slow}).status_code for _ in range(2)] == [303, 429]


def test_logging_in_again_ends_the_login_before(door: Door) -> None:
    client, before = door.client, door.client
    cookie = client.post("/login", data={"token": ADMIN_TOKEN}).headers["Set-Cookie"].split(";")[0].partition("=")[2]
    before.set_cookie("imagemill", cookie)
    assert before.get("/api/v1/totals").status_code == 200
    page = client.get("/").text
    field = page.split('name="form_token" value="')[1].split('"')[0]
    client.post("/login", data={"token": ADMIN_TOKEN, "form_token": field})
    assert client.get("/api/v1/totals").status_code == 200
    assert before.get("/api/v1/totals").status_code == 401


# --- other origins, odd headers -----------------------------------------------------------------------------------


def test_pages_of_allowed_origins_come_with_a_token_and_never_with_a_cookie(replicas: Replicas) -> None:
    door = replicas(cors_origins=["https://tools.example"])
    client = door.client
    client.post("/login", data={"token": ADMIN_TOKEN})
    origin = {"Origin": "https://tools.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/v1/snoozes", json={"seconds": 60}, headers=origin).status_code == 403
    assert "Access-Control-Allow-Origin" not in client.get("/api/v1/totals", headers=origin).headers
    answer = door.ask("POST", "/api/v1/snoozes", json={"seconds": 60}, headers=origin)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (201, "https://tools.example")
    asked = client.options("/api/v1/snoozes", headers=origin)
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", ["http://[", "http://mill.example"])
def test_odd_origins_and_those_without_tls_are_elsewhere(replicas: Replicas, origin: str) -> None:
    door = replicas(page_url="https://mill.example")
    client = door.client
    host = {"Host": "mill.example"}
    client.post("/login", data={"token": ADMIN_TOKEN}, headers=host)
    answer = client.post("/api/v1/snoozes", json={"seconds": 60}, headers={**host, "Origin": origin})
    assert answer.status_code == 403


def test_a_body_whose_length_is_not_said_does_not_pass_a_rate_of_bytes(door: Door) -> None:
    text = door.make("slow", "uploader", limits={"bytes_per_second": 1000})
    headers = {"Transfer-Encoding": "chunked"}
    answer = door.ask("POST", "/image", text, data=b"x", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (411, "length-required")


@pytest.mark.parametrize("limits", [{"requests_per_second": 5e-324}, {"bytes_per_second": 1e999}, {"source": "../x"}])
def test_limits_that_cannot_be_are_refused(door: Door, limits: dict[str, Any]) -> None:
    given_token = {"name": "x", "role": "uploader", "limits": limits}
    assert door.ask("POST", "/api/v1/tokens", json=given_token).status_code == 422


def test_the_page_with_a_new_token_is_not_kept_by_the_browser(door: Door) -> None:
    client = door.client
    client.post("/login", data={"token": ADMIN_TOKEN})
    field = client.get("/access").text.split('name="form_token" value="')[1].split('"')[0]
    form = {"form_token": field, "name": "x", "role": "viewer", "days": "7"}
    assert client.post("/access/tokens", data=form).headers["Cache-Control"] == "no-store"


# --- a provider of logins -----------------------------------------------------------------------------------------


def test_an_answer_without_a_begun_login_asks_the_provider_nothing() -> None:
    provider = OidcProvider(Settings(oidc_issuer="http://localhost:9"))
    with pytest.raises(Invalid, match="begun elsewhere"):
        provider.finish("http://localhost/login/oidc/callback?code=x", PendingLogin("", "", "", "/"))


@pytest.mark.parametrize("name", ["admin\u202e\n forged", "a\x00b"])
def test_names_which_cannot_be_shown_are_nobodys(replicas: Replicas, name: str) -> None:
    provider = OidcProvider(Settings(oidc_issuer="http://localhost:9", oidc_roles={"*": "viewer"}))
    with pytest.raises(Invalid, match="cannot be shown"):
        provider.principal_of({"preferred_username": name})


# --- what pictures tell -------------------------------------------------------------------------------------------


def _with_place(format_name: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "at 48.1, 11.5"
    made = io.BytesIO()
    image = Image.open(io.BytesIO(pictures.png(32, 24))).convert("RGB")
    image.save(made, format_name, exif=exif, comment=b"made by Ann") if format_name == "JPEG" else image.save(
        made, format_name, exif=exif
    )
    return made.getvalue()


@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_metadata_goes_and_pixels_stay(format_name: str) -> None:
    data = _with_place(format_name)
    assert b"48.1" in data
    bare = without_metadata(data + b"hidden behind the end")
    assert bare is not None
    assert all(word not in bare for word in (b"48.1", b"Ann", b"hidden"))
    before, after = (Image.open(io.BytesIO(one)) for one in (data, bare))
    assert before.tobytes() == after.tobytes()


def test_progressive_pictures_are_whole_afterwards() -> None:
    made = io.BytesIO()
    image = Image.open(io.BytesIO(pictures.photo_jpeg(320, 240)))
    image.save(made, "JPEG", progressive=True)
    bare = without_metadata(made.getvalue())
    assert bare is not None
    assert Image.open(io.BytesIO(bare)).tobytes() == Image.open(made).tobytes()


@given(st.binary(max_size=300), st.sampled_from([b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b""]))
def test_whatever_is_no_picture_is_not_handed_on(data: bytes, beginning: bytes) -> None:
    without_metadata(beginning + data)


@pytest.mark.parametrize("format_name", ["WEBP", "GIF"])
def test_formats_that_cannot_be_stripped_are_for_those_who_may_have_originals(format_name: str) -> None:
    made = io.BytesIO()
    Image.new("RGB", (8, 8)).save(made, format_name)
    assert without_metadata(made.getvalue()) is None


class _Events:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def picture(self, _event_id: str, _name: str) -> bytes:
        return self._data


@pytest.mark.parametrize(("role", "told"), [(Role.VIEWER, False), (Role.UPLOADER, True)])
def test_a_viewer_gets_an_events_picture_without_metadata(door: Door, role: Role, told: bool) -> None:
    stores = AlertStores(None, None, None, None, _Events(_with_place("JPEG")))  # type: ignore[arg-type]
    with door.app.test_request_context("/"):
        g.principal = door.services.registry.bearer(door.tokens[role])
        answer = routes.picture(stores, "e-1", "best.jpg", "x.jpg")
        assert (b"48.1" in answer.get_data()) is told
