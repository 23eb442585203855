"""Tokens, sessions and what people changed, as they are kept."""

import io
import threading
import time
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

import pictures
from api.access.conftest import ADMIN_TOKEN, Door
from api.images.test_trials import FACTS, IMAGE
from imagemill.api.access.rates import Bucket
from imagemill.api.images import reads
from imagemill.api.images.trials import Trial
from imagemill.domain.access import Role, new_token, token_id_of
from mill import wait_for
from page_site import filled

Replicas = Callable[..., Door]
_FORM = {"Sec-Fetch-Site": "same-origin"}


def _login(door: Door, token: str, target: str = "/") -> tuple[TestResponse, Door]:
    answer = door.client.post("/login", data={"token": token, "next": target})
    return answer, door


def test_of_a_token_only_a_hash_is_kept(door: Door) -> None:
    text = door.make("kept", "viewer")
    _, _, secret = text.split("_")
    documents = door.services.stores.couch.database("access").documents("", "\ufff0", 1000)
    assert any(document.get("name") == "kept" for document in documents)
    assert secret not in str(documents)
    assert secret not in door.ask("GET", "/api/v1/tokens").text
    assert secret not in door.ask("GET", "/api/v1/audit").text


def test_a_token_is_recognised_by_its_form() -> None:
    token_id, text = new_token()
    assert token_id_of(text) == token_id
    assert [token_id_of(text[:-1]), token_id_of(text + "0"), token_id_of("imagemill_x_y")] == [None, None, None]


def test_a_token_of_another_secret_with_a_known_id_is_refused(door: Door) -> None:
    text = door.make("guessed", "admin")
    assert door.ask("GET", "/api/v1/totals", text[:-4] + "0000").status_code == 401


def test_tokens_of_another_key_are_worth_nothing(replicas: Replicas) -> None:
    one, other = replicas(token_key="k1"), replicas(token_key="k2")
    text = one.make("mine", "viewer")
    assert one.ask("GET", "/api/v1/totals", text).status_code == 200
    assert other.ask("GET", "/api/v1/totals", text).status_code == 401


def test_an_expired_token_is_refused(replicas: Replicas) -> None:
    door = replicas()
    text = door.make("short", "viewer", expires_in_days=0.5 / 86400)
    wait_for(lambda: door.ask("GET", "/api/v1/totals", text).status_code == 401, "its end")
    assert [token["state"] for token in door.ask("GET", "/api/v1/tokens").json["tokens"]] == ["expired"]


@pytest.mark.parametrize(
    ("given", "member"),
    [
        ({"name": "", "role": "viewer"}, "name"),
        ({"name": "x", "role": "king"}, "role"),
        ({"name": "x"}, "role"),
        ({"name": "x", "role": "viewer", "expires_in_days": 0}, "expires_in_days"),
        ({"name": "x", "role": "viewer", "limits": {"sorce": "a"}}, "limits.sorce"),
        ({"name": "a\u202eb", "role": "viewer"}, "name"),
    ],
)
def test_a_token_that_cannot_be_is_refused_by_the_member_that_is_wrong(
    door: Door, given: dict[str, object], member: str
) -> None:
    answer = door.ask("POST", "/api/v1/tokens", json=given)
    assert (answer.status_code, answer.json["code"], answer.json["member"]) == (422, "bad-token", member)


def test_a_form_of_a_token_tells_all_that_is_wrong_beside_each_field(door: Door) -> None:
    wrong = {"name": " ", "role": "king", "days": "0", "requests_per_second": "many", "source": "a b!"}
    before = len(door.ask("GET", "/api/v1/tokens").json["tokens"])
    page = door.ask("POST", "/access/tokens", data=wrong, headers={"Accept": "text/html"})
    assert page.status_code == 422
    for field, sentence in {
        "name": "The name must not be empty.",
        "role": "The role must be",
        "days": "The number of days must be more than 0",
        "requests_per_second": "The number of requests a second must be a number.",
        "source": "cannot be a source",
    }.items():
        beside = page.text.partition(f'id="wrong-{field}">')[2].partition("</span>")[0]
        assert sentence in beside, (field, beside)
        assert f'aria-describedby="wrong-{field}"' in page.text
    assert page.text.count(" autofocus") == 1
    assert "5 fields are wrong" in page.text
    assert 'value="many"' in page.text
    assert len(door.ask("GET", "/api/v1/tokens").json["tokens"]) == before


def test_the_first_start_makes_one_admin_and_says_so_once(
    replicas: Replicas, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = replicas(admin_token=None), replicas(admin_token=None)
    for door in (one, other):
        door.services.registry.start()
    found: list[str] = []
    wait_for(lambda: found.append(capsys.readouterr().out) or "first admin token" in "".join(found), "the token")
    text = "".join(found).split("once: ")[1].split()[0]
    for door in (one, other):
        assert door.ask("GET", "/api/v1/whoami", text).json["role"] == "admin"
        assert len(door.ask("GET", "/api/v1/tokens", text).json["tokens"]) == 1
    assert "first admin token" not in capsys.readouterr().out


# --- limits of a token ------------------------------------------------------------------------------------------


def _upload(door: Door, who: str, **fields: str) -> TestResponse:
    file = (io.BytesIO(pictures.png(8, 8)), "a.png")
    return door.ask("POST", "/api/v1/images", who, data={"file": file, **fields})


@pytest.mark.parametrize(
    ("limits", "fields", "told"),
    [
        ({"source": "gate"}, {"source": "yard"}, "uploads as the source 'gate'"),
        ({"recipes": ["gray"]}, {"recipe": "denoise"}, "may not ask for the recipe 'denoise'"),
        ({"max_priority": 4}, {"priority": "5"}, "priorities up to 4, not 5"),
    ],
)
def test_a_token_does_no_more_than_it_is_for(
    door: Door, limits: dict[str, object], fields: dict[str, str], told: str
) -> None:
    answer = _upload(door, door.make("limited", "uploader", limits=limits), **fields)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert told in answer.json["detail"]


@pytest.mark.parametrize(("who", "status"), [("uploader", 200), ("bound", 403)])
def test_who_may_only_upload_sees_no_picture_by_trying_a_recipe_on_it(
    door: Door, monkeypatch: pytest.MonkeyPatch, who: str, status: int
) -> None:
    monkeypatch.setattr(reads, "image_of", lambda *_: IMAGE)
    monkeypatch.setattr(door.services.trials, "tried", lambda *_: Trial(FACTS, b"bytes"))
    answer = door.ask("POST", "/api/v1/images/a/trial?recipe=gray", who)
    assert (answer.status_code, b"bytes" in answer.data) == (status, status == 200)


def test_who_asks_too_often_is_told_when_to_come_again(door: Door) -> None:
    text = door.make("hasty", "viewer", limits={"requests_per_second": 0.1})
    first = door.ask("GET", "/api/v1/recipes", text)
    assert first.status_code == 200
    assert first.headers["RateLimit-Policy"] == '"requests";q=1;w=10'
    assert first.headers["RateLimit"] == '"requests";r=0;t=10'
    second = door.ask("GET", "/api/v1/recipes", text)
    assert (second.status_code, second.json["code"]) == (429, "too-many-requests")
    assert int(second.headers["Retry-After"]) >= 1


def test_a_bucket_fills_at_its_rate_and_no_further_than_ten_seconds_worth() -> None:
    bucket = Bucket(rate=10, level=100, at=0)
    assert [bucket.take(150, 0), bucket.take(1, 0), bucket.take(1, 5.2)] == [0, 5.1, 0]
    bucket.take(0, 1000)
    assert bucket.level == 100


# --- revoking ---------------------------------------------------------------------------------------------------


def test_revoking_ends_requests_sessions_and_streams_on_every_replica_within_five_seconds(replicas: Replicas) -> None:
    one, other = replicas(), replicas()
    for door in (one, other):
        door.services.registry.start()
    text = one.make("to go", "viewer")
    logged_in = other.client
    logged_in.post("/login", data={"token": text})
    assert logged_in.get("/api/v1/totals").status_code == 200
    stream = other.ask("GET", "/api/v1/events", text, buffered=False)
    ended = threading.Event()
    reading = threading.Thread(target=lambda: (list(stream.response), ended.set()))
    reading.start()
    token_id = token_id_of(text)
    assert one.ask("DELETE", f"/api/v1/tokens/{token_id}").status_code == 204
    began = time.monotonic()
    wait_for(lambda: other.ask("GET", "/api/v1/totals", text).status_code == 401, "the token's end", 5)
    wait_for(lambda: logged_in.get("/api/v1/totals").status_code == 401, "the session's end", 5)
    assert ended.wait(max(0.0, began + 5 - time.monotonic()))
    reading.join()
    assert one.ask("GET", "/api/v1/tokens").json["tokens"][0]["state"] == "revoked"


def test_revoking_ends_a_trial_that_waits(replicas: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    door = replicas()
    door.services.registry.start()
    text, image_id = door.make("to go", "uploader"), filled(door.services)["stored"]
    asked = threading.Event()
    monkeypatch.setattr(door.services.trials, "_publish", lambda _: asked.set())  # nobody ever answers
    answers: list[TestResponse] = []
    path = f"/api/v1/images/{image_id}/trial?recipe=edges"
    waiting = threading.Thread(target=lambda: answers.append(door.ask("POST", path, text)))
    waiting.start()
    assert asked.wait(60)
    assert door.ask("DELETE", f"/api/v1/tokens/{token_id_of(text)}").status_code == 204
    waiting.join(5)
    assert [answer.status_code for answer in answers] == [401]


def test_there_is_no_token_of_an_unknown_id(door: Door) -> None:
    answer = door.ask("DELETE", "/api/v1/tokens/000000000000")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown-token")


def test_guessing_does_not_ask_the_database_each_time(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    look = door.services.registry._store.documents
    monkeypatch.setattr(door.services.registry._store, "documents", lambda ids: asked.append(1) or look(ids))
    began = time.monotonic()
    for _ in range(200):
        assert door.ask("GET", "/api/v1/totals", new_token()[1]).status_code == 401
    assert len(asked) <= 21 + 4 * (time.monotonic() - began)


# --- sessions ---------------------------------------------------------------------------------------------------


def test_a_login_is_a_cookie_that_no_script_reads(door: Door) -> None:
    answer, _ = _login(door, door.tokens[Role.VIEWER], "/pictures")
    assert (answer.status_code, answer.location) == (303, "/pictures")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("imagemill=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert door.tokens[Role.VIEWER] not in cookie


def test_behind_tls_the_cookie_is_for_tls_and_this_host_alone(replicas: Replicas) -> None:
    door = replicas(page_url="https://mill.example")
    answer = door.client.post("/login", data={"token": ADMIN_TOKEN}, headers={"Host": "mill.example"})
    assert answer.headers["Set-Cookie"].startswith("__Host-imagemill=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_each_login_is_another_session_and_a_foisted_one_is_none(door: Door) -> None:
    client = door.client
    client.set_cookie("imagemill", "f" * 64)
    first = client.post("/login", data={"token": ADMIN_TOKEN}).headers["Set-Cookie"]
    second = door.client.post("/login", data={"token": ADMIN_TOKEN}).headers["Set-Cookie"]
    assert len({first, second, "f" * 64}) == 3
    assert "f" * 64 not in first


def test_a_wrong_token_logs_nobody_in(door: Door) -> None:
    answer, _ = _login(door, "imagemill_000000000000_" + "0" * 64)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert "not known, has expired, or was revoked" in answer.text


def test_logging_out_ends_the_session_wherever_its_cookie_went(replicas: Replicas) -> None:
    one, other = replicas(), replicas()
    client, thief = one.client, other.client
    cookie = client.post("/login", data={"token": ADMIN_TOKEN}).headers["Set-Cookie"].split(";")[0].partition("=")[2]
    thief.set_cookie("imagemill", cookie)
    assert thief.get("/api/v1/totals").status_code == 200
    page = client.get("/").text
    field = page.split('name="form_token" value="')[1].split('"')[0]
    assert client.post("/logout", data={"form_token": field}).location == "/login"
    assert client.get("/api/v1/totals").status_code == 401
    other.services.registry.refresh()
    assert thief.get("/api/v1/totals").status_code == 401


def test_a_session_ends_when_idle_and_in_any_case_after_its_time(replicas: Replicas) -> None:
    door = replicas(session_idle_seconds=100, session_max_seconds=1000)
    now = [time.time()]
    door.services.registry._clock = lambda: now[0]
    client = door.client
    client.post("/login", data={"token": ADMIN_TOKEN})
    for _ in range(11):
        now[0] += 90
        assert client.get("/api/v1/totals").status_code == 200
    now[0] += 90
    assert client.get("/api/v1/totals").status_code == 401
    client.post("/login", data={"token": ADMIN_TOKEN})
    now[0] += 101
    assert client.get("/api/v1/totals").status_code == 401


def test_a_new_admin_token_in_the_settings_ends_the_logins_of_the_old_one(replicas: Replicas) -> None:
    one = replicas()
    cookie = (
        one.client.post("/login", data={"token": ADMIN_TOKEN}).headers["Set-Cookie"].split(";")[0].partition("=")[2]
    )
    other = replicas(admin_token="another-token-of-the-settings-for-tests")
    client = other.client
    client.set_cookie("imagemill", cookie)
    assert client.get("/api/v1/totals").status_code == 401


# --- a proxy's word ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "role"),
    [
        ({"X-Forwarded-User": "ann", "X-Forwarded-Groups": "staff,ops"}, None),
        ({"X-Forwarded-User": "ann", "X-Forwarded-Groups": "staff,ops", "X-Proxy-Secret": "wrong"}, None),
        ({"X-Forwarded-User": "ann", "X-Forwarded-Groups": "staff,ops", "X-Proxy-Secret": "s3"}, "operator"),
        ({"X-Forwarded-User": "ann", "X-Forwarded-Groups": "other", "X-Proxy-Secret": "s3"}, None),
        ({"X-Forwarded-User": " ", "X-Forwarded-Groups": "ops", "X-Proxy-Secret": "s3"}, None),
    ],
)
def test_a_proxy_is_believed_only_with_its_secret(
    replicas: Replicas, headers: dict[str, str], role: str | None
) -> None:
    door = replicas(proxy_secret="s3", proxy_roles={"staff": "viewer", "ops": "operator"})
    answer = door.ask("GET", "/api/v1/whoami", None, headers=headers)
    assert (answer.json["role"] if role else answer.status_code) == (role or 401)
    assert role is None or answer.json["name"] == "ann"


# --- what people changed ----------------------------------------------------------------------------------------


def test_every_change_is_written_down_with_who_and_what_it_was(replicas: Replicas) -> None:
    door = replicas()
    ann = door.make("ann", "admin")
    camera = {"name": "Front door", "address": "http://10.0.0.7/snap.jpg"}
    assert door.ask("POST", "/api/v1/cameras", ann, json=camera).status_code == 201
    now = door.ask("GET", "/api/v1/cameras/front-door", ann).json
    changed = {**now, "name": "Back door"}
    assert door.ask("PUT", "/api/v1/cameras/front-door", ann, json=changed).status_code == 200
    assert door.ask("DELETE", "/api/v1/cameras/front-door", ann).status_code == 204
    entries = door.ask("GET", "/api/v1/audit").json["entries"]
    assert [(e["by"], e["role"], e["action"], e["subject"]) for e in entries[:4]] == [
        ("ann", "admin", "camera.remove", "front-door"),
        ("ann", "admin", "camera.change", "front-door"),
        ("ann", "admin", "camera.add", "front-door"),
        ("admin", "admin", "token.create", token_id_of(ann)),
    ]
    assert entries[1]["before"] == {"name": "Front door"}
    assert entries[1]["after"] == {"name": "Back door"}
    assert entries[0]["before"]["name"] == "Back door"
    page = door.ask("GET", "/api/v1/audit?limit=2").json
    following = door.ask("GET", f"/api/v1/audit?limit=2&after={page['next']}").json
    assert [e["id"] for e in page["entries"] + following["entries"]] == [e["id"] for e in entries[:4]]


def test_a_token_is_told_from_a_user_with_its_name(replicas: Replicas) -> None:
    door = replicas(proxy_secret="s3", proxy_roles={"ops": "admin"})
    ann = door.make("ann", "admin")
    camera = {"name": "Gate", "address": "http://10.0.0.7/snap.jpg"}
    signed_on = {
        "X-Proxy-Secret": "s3",
        "X-Forwarded-User": "ann",
        "X-Forwarded-Groups": "ops",
        "Sec-Fetch-Site": "same-origin",
    }
    assert door.ask("POST", "/api/v1/cameras", ann, json=camera).status_code == 201
    assert door.ask("DELETE", "/api/v1/cameras/gate", None, headers=signed_on).status_code == 204
    removed, added = door.ask("GET", "/api/v1/audit").json["entries"][:2]
    assert (removed["by"], removed["account"]) == ("ann", "single sign-on")
    assert (added["by"], added["account"]) == ("ann", f"token {token_id_of(ann)}")
    page = door.ask("GET", "/access/changes", headers={"Accept": "text/html"}).text
    assert "admin, single sign-on" in page
    assert f"admin, token {token_id_of(ann)}" in page


def test_a_camera_s_address_is_for_those_who_run_it(replicas: Replicas) -> None:
    door = replicas()
    door.ask("POST", "/api/v1/cameras", json={"name": "gate", "address": "http://10.0.0.7/snap.jpg"})
    viewer, operator = door.make("v", "viewer"), door.make("o", "operator")
    assert "10.0.0.7" not in door.ask("GET", "/api/v1/cameras", viewer).text
    assert "10.0.0.7" not in door.ask("GET", "/cameras/gate", viewer, headers={"Accept": "text/html"}).text
    assert "10.0.0.7" in door.ask("GET", "/api/v1/cameras", operator).text
