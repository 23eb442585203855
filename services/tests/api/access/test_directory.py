"""Tokens and logins in memory: what is there, what opens nothing, what is forgotten, and what waits for nobody."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from api.access.conftest import Door
from imagemill.api.access.directory import AccessDirectory, LastUses
from imagemill.domain.access import new_token
from imagemill.store.couch import StoreUnavailable

TOKEN = {
    "_id": "token:5f5e3e014dcb", "id": "5f5e3e014dcb", "name": "ann", "role": "viewer", "hash": "h",
    "created_at": "2026-11-21T09:15:03.000Z", "created_by": "admin", "expires_at": "2026-11-22T00:00:00.000Z",
}  # fmt: skip
SESSION = {
    "name": "ann",
    "role": "viewer",
    "token_id": "5f5e3e014dcb",
    "token_hash": None,
    "created": 1000.0,
    "mac": "m",
}
Replicas = Callable[..., Door]


def _session(session_id: str, **other: Any) -> dict[str, Any]:
    return {"_id": f"session:{session_id}", **SESSION, **other}


def test_a_directory_follows_what_changes_and_older_ones_stay_as_they_were() -> None:
    before = AccessDirectory()
    after = before.updated([TOKEN, _session("a")])
    gone = after.updated([{"_id": "token:5f5e3e014dcb", "_deleted": True}])
    assert [list(one.tokens) for one in (before, after, gone)] == [[], ["5f5e3e014dcb"], []]
    assert list(gone.sessions) == ["a"]


def test_a_token_is_valid_until_it_expires_or_is_revoked() -> None:
    directory = AccessDirectory().updated([TOKEN])
    token = directory.tokens["5f5e3e014dcb"]
    assert [directory.is_valid(token, now) for now in (1795305599, 1795305600)] == [True, False]
    revoked = directory.updated([{"_id": "revoked:5f5e3e014dcb", "by": "admin", "at": "now"}])
    assert not revoked.is_valid(token, 0)


@pytest.mark.parametrize("change", [{"role": "king"}, {"expires_at": "soon"}, {"expires_at": "2026-11-22T00:00:00"}])
def test_a_document_that_cannot_be_read_opens_nothing_and_keeps_nobody_else_out(change: dict[str, str]) -> None:
    other = {**TOKEN, "_id": "token:000000000001", "id": "000000000001"}
    assert list(AccessDirectory().updated([{**TOKEN, **change}, other]).tokens) == ["000000000001"]


def test_a_login_is_forgotten_before_the_note_that_ended_it() -> None:
    ended = {"_id": "ended:a", "at": 2000.0}
    directory = AccessDirectory().updated(
        [_session("a"), ended, {"_id": "seen:a", "at": 1500.0}, _session("b", created=9000.0)]
    )
    first = directory.forgettable(created_before=0, ended_before=3000)
    assert [document["_id"] for document in first] == ["session:a"]
    rest = directory.updated([{"_id": "session:a", "_deleted": True}]).forgettable(0, 3000)
    assert sorted(document["_id"] for document in rest) == ["ended:a", "seen:a"]


def test_the_newest_logins_of_a_name_come_first_and_ended_ones_not_at_all() -> None:
    changes = [_session("a"), _session("b", created=2000.0), _session("c"), {"_id": "ended:c", "at": 1.0}]
    other = _session("d", name="bob")
    assert [one.id for one in AccessDirectory().updated([*changes, other]).open_sessions("ann")] == ["b", "a"]


def test_uses_are_noted_now_and_then_and_a_bounded_number_at_once() -> None:
    uses, directory = LastUses(), AccessDirectory()
    for number in range(10):
        uses.add(f"s{number}", 1000.0)
    assert len(uses.worth_noting(directory, 1000.0, 300, limit=4)) == 4
    noted = directory.updated([{"_id": f"seen:s{number}", "at": 1000.0} for number in range(10)])
    assert uses.worth_noting(noted, 1400.0, 300, limit=4) == {}
    assert uses.at("s1", directory) == 0.0
    assert uses.at("s1", noted) == 1000.0


def test_while_the_database_hangs_known_tokens_open_at_once_and_two_guesses_wait_for_it(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = (door := replicas()).services.registry
    known = door.make("known", "viewer")
    hanging, over = threading.Semaphore(0), threading.Event()

    def hang(_: Any) -> Any:
        hanging.release()
        over.wait(60)
        raise StoreUnavailable("at last")

    registry.refresh()
    monkeypatch.setattr(registry._store, "changed", hang)
    monkeypatch.setattr(registry._store, "documents", hang)
    registry.start()

    def guess() -> None:
        with pytest.raises(StoreUnavailable):
            registry.bearer(new_token()[1])

    guesses = [threading.Thread(target=guess) for _ in range(2)]
    for thread in guesses:
        thread.start()
    try:
        for _ in range(3):
            assert hanging.acquire(timeout=30)
        began = time.monotonic()
        assert registry.bearer(known) is not None
        assert time.monotonic() - began < 1
        guess()
        assert time.monotonic() - began < 10
        assert all(thread.is_alive() for thread in guesses)
    finally:
        over.set()
        for thread in guesses:
            thread.join(30)


@pytest.fixture
def one_and_other(replicas: Replicas, monkeypatch: pytest.MonkeyPatch) -> tuple[Door, Door]:
    """Two replicas of which the other one is never told what the first one changed."""
    one, other = replicas(), replicas()
    other.services.registry.refresh()
    monkeypatch.setattr(other.services.registry._store, "changed", lambda since: ([], since))
    return one, other


def test_what_another_node_of_the_database_does_not_tell_yet_opens_all_the_same(
    one_and_other: tuple[Door, Door],
) -> None:
    one, other = one_and_other
    text = one.make("new", "viewer")
    cookie = one.client.post("/login", data={"token": text}).headers["Set-Cookie"].split(";")[0].partition("=")[2]
    client = other.client
    client.set_cookie("imagemill", cookie)
    assert client.get("/api/v1/totals").status_code == 200
    assert other.ask("GET", "/api/v1/totals", text).status_code == 200


def test_a_token_that_was_revoked_elsewhere_before_it_was_known_here_stays_out(
    one_and_other: tuple[Door, Door],
) -> None:
    one, other = one_and_other
    text = one.make("new", "viewer")
    one.ask("DELETE", f"/api/v1/tokens/{text.split('_')[1]}")
    assert other.ask("GET", "/api/v1/totals", text).status_code == 401
