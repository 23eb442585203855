"""Lists by recipe, name, source and time; and what is done with several pictures at once."""

import io
import uuid
import zipfile
from typing import Any

import pytest

from imagemill.domain.ids import timestamp
from mill import Mill
from pictures import photo_jpeg


@pytest.fixture(scope="module")
def batch(mill: Mill) -> str:
    name = f"filter-{uuid.uuid4().hex[:8]}"
    mill.accepted(photo_jpeg(96, 64, 1), photo_jpeg(96, 64, 2), batch=name)
    mill.accepted(photo_jpeg(96, 64, 1), batch=name, recipe="webp")
    mill.all_ended()
    return name


def names(mill: Mill, batch: str, **query: str) -> list[str]:
    answer = mill.get("/api/v1/images", params={"batch": batch, **query})
    assert answer.status_code == 200, answer.text
    return [f"{item['name']} {item['recipe']}" for item in answer.json()["images"]]


def test_pictures_by_recipe_and_by_a_part_of_their_names(mill: Mill, batch: str) -> None:
    assert names(mill, batch, recipe="webp") == ["picture-0.jpg webp"]
    assert names(mill, batch, name="CTURE-1") == ["picture-1.jpg gray"]
    assert names(mill, batch, name="picture-0", recipe="gray") == ["picture-0.jpg gray"]
    assert names(mill, batch, source="nobody") == []


def test_pictures_by_time(mill: Mill, batch: str) -> None:
    before, after = timestamp(0), "2100-01-01"
    assert len(names(mill, batch, since=before, until=after)) == 3
    assert names(mill, batch, since=after) == []
    assert names(mill, batch, until=before) == []
    middle = mill.get("/api/v1/images", params={"batch": batch, "recipe": "webp"}).json()["images"][0]["accepted_at"]
    assert len(names(mill, batch, until=middle)) >= 2
    assert len(names(mill, batch, until=middle, limit="1")) == 1


def test_pages_follow_each_other_whatever_is_filtered(mill: Mill, batch: str) -> None:
    found, after = list[str](), ""
    for _ in range(10):
        query = {"batch": batch, "recipe": "gray", "limit": "1", **({"after": after} if after else {})}
        page = mill.get("/api/v1/images", params=query).json()
        found += [item["name"] for item in page["images"]]
        after = page["next"]
        if not after:
            break
    assert found == ["picture-1.jpg", "picture-0.jpg"]


@pytest.mark.parametrize("query", [{"since": "yesterday"}, {"until": "2026-13-01"}])
def test_a_time_that_is_none_is_refused(mill: Mill, query: dict[str, str]) -> None:
    answer = mill.get("/api/v1/images", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-value")


@pytest.mark.parametrize("query", [{"since": "0001-01-01"}, {"until": "9999-12-31"}])
def test_a_time_long_ago_or_far_away_is_one(mill: Mill, batch: str, query: dict[str, str]) -> None:
    assert len(names(mill, batch, **query)) == 3


def ids_of(mill: Mill, batch: str, **query: str) -> list[str]:
    found: list[dict[str, Any]] = mill.get("/api/v1/images", params={"batch": batch, **query}).json()["images"]
    return [item["id"] for item in found]


def test_originals_are_worked_on_again_as_one_commit_and_once(mill: Mill, batch: str) -> None:
    ids = ids_of(mill, batch, recipe="gray")
    unknown, key = str(uuid.uuid4()), str(uuid.uuid4())
    body = {"images": [*ids, unknown], "recipe": "edges"}
    first, second = (
        mill.post("/api/v1/images/again", json=body, headers={"Idempotency-Key": key}).json() for _ in range(2)
    )
    assert first == second
    assert [item["code"] for item in first["refused"]] == ["unknown-image"]
    for item in first["made"]:
        assert mill.ended(item["again"])["recipe"] == "edges"
    assert len(ids_of(mill, batch, recipe="edges")) == len(ids)


def test_results_of_several_pictures_are_one_file(mill: Mill, batch: str) -> None:
    ids = ids_of(mill, batch, recipe="gray")
    answer = mill.post("/api/v1/images/results.zip", json={"images": ids})
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert sorted(names) == ["manifest.csv", "picture-0-gray.png", "picture-1-gray.png"]
    unknown = mill.post("/api/v1/images/results.zip", json={"images": [str(uuid.uuid4())]})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-image")
