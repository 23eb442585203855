"""`imagemill login, logout, whoami, audit, tokens` against an Imagemill that lets nobody in without a token."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fake_api import Ended
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill
from mills import running_mill

ADMIN_TOKEN = "a-token-of-the-settings-for-the-tests"
Command = Callable[..., Ended]


@pytest.fixture(scope="module")
def locked(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    folder = tmp_path_factory.mktemp("locked")
    with running_mill(rabbit, couch, folder, login="true", admin_token=ADMIN_TOKEN) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's own folder, with nothing in it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("IMAGEMILL_TOKEN", raising=False)
    return tmp_path


def test_without_a_token_one_is_told_to_log_in(locked: Mill, home: Path, imagemill: Command) -> None:
    ended = imagemill("totals", "--api", locked.url)
    assert ended.code == 1
    assert "Log in with `imagemill login`, or set IMAGEMILL_TOKEN." in ended.err


def test_a_login_is_kept_for_its_api_alone_and_can_be_forgotten(locked: Mill, home: Path, imagemill: Command) -> None:
    ended = imagemill("login", "--api", locked.url, stdin=ADMIN_TOKEN.encode() + b"\n")
    assert (ended.code, ended.out) == (0, "logged in  admin, admin\n")
    (kept,) = (home / "config").rglob("tokens.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(kept.read_text()) == {locked.url: ADMIN_TOKEN}
    assert "admin, admin: may view" in imagemill("whoami", "--api", locked.url).out
    assert imagemill("totals", "--api", locked.url.replace("127.0.0.1", "localhost")).code == 1
    assert imagemill("logout", "--api", locked.url).code == 0
    assert imagemill("totals", "--api", locked.url).code == 1


def test_a_wrong_token_is_not_kept(locked: Mill, home: Path, imagemill: Command) -> None:
    ended = imagemill("login", "--api", locked.url, stdin=b"wrong\n")
    assert ended.code == 1
    assert not list(home.rglob("tokens.json"))


def test_a_token_is_made_used_listed_and_revoked(
    locked: Mill, home: Path, imagemill: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEMILL_TOKEN", ADMIN_TOKEN)
    made = imagemill("tokens", "create", "gate", "--role", "viewer", "--days", "1", "--api", locked.url)
    token = made.out.strip()
    token_id = token.split("_")[1]
    monkeypatch.setenv("IMAGEMILL_TOKEN", token)
    assert imagemill("totals", "--api", locked.url).code == 0
    refused = imagemill("tokens", "list", "--api", locked.url)
    assert refused.code == 1
    assert "'gate' is viewer; this needs the role admin." in refused.err
    monkeypatch.setenv("IMAGEMILL_TOKEN", ADMIN_TOKEN)
    assert imagemill("tokens", "revoke", token_id, "--api", locked.url).out == f"revoked    {token_id}\n"
    listed = imagemill("tokens", "list", "--api", locked.url).out
    assert [word in listed for word in (token_id, "gate", "revoked", token)] == [True, True, True, False]
    changes = imagemill("audit", "--api", locked.url).out
    assert "token.revoke" in changes
    assert ", token " in changes.splitlines()[0]
    assert "token.create" in changes
    monkeypatch.setenv("IMAGEMILL_TOKEN", token)
    assert imagemill("totals", "--api", locked.url).code == 1


def test_a_netrc_does_not_take_the_tokens_place(
    locked: Mill, home: Path, imagemill: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(home / "netrc"))
    monkeypatch.setenv("IMAGEMILL_TOKEN", ADMIN_TOKEN)
    assert imagemill("totals", "--api", locked.url).code == 0
