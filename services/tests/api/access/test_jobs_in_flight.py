"""A token's limit of jobs in flight, as the API counts them for itself."""

import io
from collections.abc import Sequence

import pytest
from werkzeug.test import TestResponse

import pictures
from api.access.conftest import Door
from imagemill.api.images.group_commit import Committed, NewJob
from imagemill.domain.access import Role, Token, TokenLimits


def _upload(door: Door, who: str, **fields: list[str]) -> TestResponse:
    file = (io.BytesIO(pictures.png(8, 8)), "a.png")
    return door.ask("POST", "/api/v1/images", who, data={"file": file, **fields})


def test_a_token_whose_jobs_in_flight_are_as_many_as_may_be_is_told_when_to_come_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commit(jobs: Sequence[NewJob], _: object) -> Committed:
        assert all(door.services.dispatcher.take(new.job) for new in jobs)
        return Committed(frozenset(), {})

    monkeypatch.setattr(door.services.group_commit, "commit", commit)
    monkeypatch.setattr(door.services.group_commit, "check_open", lambda: None)
    text = door.make("two at a time", "uploader", limits={"jobs_in_flight": 2})
    first = _upload(door, text)
    assert (first.status_code, first.headers["RateLimit-Policy"]) == (202, '"jobs";q=2')
    assert first.headers["RateLimit"] == '"jobs";r=1'
    both = _upload(door, text, recipe=["gray", "webp"])
    assert (both.status_code, both.json["code"], both.headers["Retry-After"]) == (429, "too-many-jobs", "5")
    assert "1 jobs are in flight, and 2 more would exceed its 2" in both.json["detail"]
    assert _upload(door, text).headers["RateLimit"] == '"jobs";r=0'
    assert _upload(door, door.tokens[Role.UPLOADER]).status_code == 202
    (ended,) = door.services.shares.sent_before(-1, 1)
    door.services.shares.ended(ended, "default")
    assert _upload(door, text).status_code == 202


def test_a_tokens_claims_do_not_change_with_the_limits_that_are_known() -> None:
    token = Token(id="1", name="n", role=Role.VIEWER, hash="", created_at="", created_by="")
    assert token.claims == '{"id":"1","name":"n","role":"viewer"}'
    limited = token.model_copy(update={"limits": TokenLimits(jobs_in_flight=1)})
    assert limited.claims == '{"id":"1","name":"n","role":"viewer","limits":{"jobs_in_flight":1}}'
