"""Failures end: retried until solved, or discarded with a note; the counts stay exact."""

from typing import Any

import pytest

from imagemill.domain.ids import uuid7
from mill import Mill, wait_for
from pictures import bomb_png_header, photo_jpeg, png

NOBODY = "00000000-0000-7000-8000-000000000000"
WIDER_THAN_WEBP = 16_400


def failed(mill: Mill, batch: str, count: int = 1, recipe: str = "gray") -> list[str]:
    """Ids of pictures that have failed, oldest first; only their headers are in order."""
    ids = [mill.accepted(bomb_png_header(300 + n, 200), batch=batch, recipe=recipe)[0] for n in range(count)]
    assert {mill.ended(image_id)["status"] for image_id in ids} == {"failed"}
    return ids


def post(mill: Mill, verb: str, body: Any, status: int = 200, **headers: str) -> dict[str, Any]:
    answer = mill.http.post(f"{mill.url}/api/v1/failures/{verb}", json=body, headers=headers, timeout=30)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def listed(mill: Mill, **query: Any) -> list[dict[str, Any]]:
    return list(mill.get("/api/v1/failures", params=query).json()["failures"])


def ids_of(found: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in found]


def counts(mill: Mill, batch: str) -> tuple[int, int]:
    found = mill.get(f"/api/v1/batches/{batch}").json()
    assert found["accepted"] == found["stored"] + found["failed"] + found["in_flight"]
    return found["failed"], found["failed_open"]


def test_a_failure_is_open_until_it_is_retried_and_its_retry_is_the_next_one(mill: Mill) -> None:
    (first,) = failed(mill, "chain")
    (item,) = listed(mill, batch="chain")
    assert (item["failure_state"], item["tries"], item["stage"]) == ("open", 1, "at work")
    assert item["failed_by"].startswith("worker")
    assert "image editor" in item["advice"]
    assert counts(mill, "chain") == (1, 1)
    second = post(mill, "retry", {"images": [first]})["retried"][0]["retry"]
    assert mill.ended(second)["retry_of"] == first
    wait_for(lambda: counts(mill, "chain") == (2, 1), "the count of open failures")
    (item,) = listed(mill, batch="chain")
    assert (item["id"], item["tries"]) == (second, 2)
    (item,) = listed(mill, batch="chain", state="retried")
    assert (item["id"], item["last_retry"]) == (first, {"id": second, "status": "failed"})
    assert item["resolution"]["retry"] == second


def test_a_failure_is_retried_once_whoever_asks(mill: Mill) -> None:
    (first,) = failed(mill, "once")
    key = {"Idempotency-Key": uuid7()}
    made = post(mill, "retry", {"images": [first]}, **key)
    assert post(mill, "retry", {"images": [first]}, **key) == made
    (refused,) = post(mill, "retry", {"images": [first]})["refused"]
    assert (refused["id"], refused["code"]) == (first, "already-retried")
    assert made["retried"][0]["retry"] in refused["detail"]
    answer = mill.post(f"/api/v1/images/{first}/retry")
    assert (answer.status_code, answer.json()["image"]) == (409, made["retried"][0]["retry"])
    mill.all_ended()
    assert counts(mill, "once") == (2, 1)


def test_a_retry_with_another_recipe_solves_it(mill: Mill) -> None:
    (image_id,) = mill.accepted(png(WIDER_THAN_WEBP, 2), batch="solved", recipe="webp")
    assert mill.ended(image_id)["code"] == "unencodable"
    retry = mill.post(f"/api/v1/images/{image_id}/retry", params={"recipe": "gray"}).json()["id"]
    assert mill.ended(retry)["status"] == "stored"
    (item,) = listed(mill, batch="solved", state="solved")
    assert (item["id"], item["last_retry"]["id"]) == (image_id, retry)
    assert listed(mill, batch="solved", state="retried") == []
    assert counts(mill, "solved") == (1, 0)


def test_discarded_ones_stay_failed_and_can_be_reopened(mill: Mill) -> None:
    first, second = failed(mill, "discarded", 2)
    assert post(mill, "discard", {"images": [first], "note": "a test card"})["discarded"] == [first]
    assert counts(mill, "discarded") == (2, 1)
    assert ids_of(listed(mill, batch="discarded")) == [second]
    (item,) = listed(mill, batch="discarded", state="discarded")
    assert (item["id"], item["resolution"]["note"]) == (first, "a test card")
    assert post(mill, "reopen", {"images": [first, second]})["reopened"] == [first]
    assert ids_of(listed(mill, batch="discarded")) == [second, first]
    assert counts(mill, "discarded") == (2, 2)


def test_what_is_discarded_can_be_retried_and_what_is_retried_not_discarded(mill: Mill) -> None:
    (first,) = failed(mill, "both")
    post(mill, "discard", {"images": [first]})
    post(mill, "retry", {"images": [first]})
    (refused,) = post(mill, "discard", {"images": [first]})["refused"]
    assert refused["code"] == "already-retried"
    assert post(mill, "reopen", {"images": [first]})["reopened"] == []
    assert ids_of(listed(mill, batch="both", state="discarded")) == []


def test_all_that_match_are_retried_as_one(mill: Mill) -> None:
    gray = failed(mill, "matching", 3)
    failed(mill, "matching", 1, recipe="webp")
    answer = post(mill, "retry", {"matching": {"batch": "matching", "recipe": "gray", "code": "undecodable"}})
    assert sorted(item["id"] for item in answer["retried"]) == gray
    assert (answer["refused"], answer["next"]) == ([], None)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2), ({"code": "undecodable"}, 2), ({"code": "crashed"}, 0), ({"recipe": "gray"}, 2),
        ({"recipe": "fit"}, 0),
        ({"since": "2026-01-01"}, 2), ({"until": "2026-01-01"}, 0), ({"since": "2999-01-01T00:00Z"}, 0),
        ({"state": "all"}, 2), ({"state": "discarded"}, 0),
    ],
)  # fmt: skip
def test_failures_are_filtered(mill: Mill, query: dict[str, str], count: int) -> None:
    if not mill.get("/api/v1/failures", params={"batch": "filtered"}).json()["failures"]:
        failed(mill, "filtered", 2)
    assert len(listed(mill, batch="filtered", **query)) == count


def test_pages_are_joined_by_a_cursor(mill: Mill) -> None:
    ids = failed(mill, "paged", 3)
    first = mill.get("/api/v1/failures", params={"batch": "paged", "limit": 2}).json()
    assert ids_of(first["failures"]) == ids[:0:-1]
    rest = mill.get("/api/v1/failures", params={"batch": "paged", "limit": 2, "after": first["next"]}).json()
    assert (ids_of(rest["failures"]), rest["next"]) == (ids[:1], None)


@pytest.mark.parametrize(
    ("verb", "body", "status", "code"),
    [
        ("retry", {}, 422, "bad-value"),
        ("retry", {"images": ["one"]}, 422, "bad-value"),
        ("retry", {"matching": "all"}, 422, "bad-value"),
        ("retry", {"matching": {"since": "yesterday"}}, 422, "bad-value"),
        ("retry", {"matching": {}, "after": "x"}, 400, "bad-cursor"),
        ("discard", {"images": [NOBODY], "note": "x" * 501}, 422, "bad-value"),
        ("reopen", {"images": [NOBODY] * 501}, 422, "bad-value"),
    ],
)
def test_requests_that_make_no_sense_say_why(mill: Mill, verb: str, body: Any, status: int, code: str) -> None:
    assert post(mill, verb, body, status)["code"] == code


def test_unknown_pictures_and_unknown_recipes_are_refused_one_by_one(mill: Mill) -> None:
    (first,) = failed(mill, "refused")
    refused = post(mill, "retry", {"images": [first, NOBODY], "recipe": "none"})["refused"]
    assert [(item["id"], item["code"]) for item in refused] == [(first, "unknown-recipe"), (NOBODY, "unknown-image")]
    (stored,) = mill.accepted(photo_jpeg(seed=78), batch="refused")
    mill.ended(stored)
    for verb in ("retry", "discard"):
        (no,) = post(mill, verb, {"images": [stored]})["refused"]
        assert no["code"] == "not-failed"
