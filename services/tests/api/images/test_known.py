"""Hash first: what is stored already is accepted without being sent; fields that are misspelt are refused."""

import hashlib
from typing import Any

import pytest

from imagemill.domain.ids import uuid7
from mill import Mill
from pictures import photo_jpeg

NEW = hashlib.sha256(b"never seen").hexdigest()


def ask(mill: Mill, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = mill.http.post(f"{mill.url}/api/v1/known", json=body, timeout=30)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


@pytest.fixture(scope="module")
def stored(mill: Mill) -> str:
    """The SHA-256 of a picture that is stored as `gray`."""
    (image_id,) = mill.accepted(photo_jpeg(seed=801))
    assert mill.ended(image_id)["status"] == "stored"
    return hashlib.sha256(photo_jpeg(seed=801)).hexdigest()


def test_known_ones_are_accepted_under_any_recipe_and_the_others_named(mill: Mill, stored: str) -> None:
    pictures = [{"sha256": NEW}, {"sha256": stored, "name": "../kite.jpg"}]
    answer = ask(mill, pictures=pictures, recipes=["gray", "webp"], batch="known")
    assert (answer["known"], answer["unknown"]) == ([1], [0])
    gray, webp = answer["accepted"]
    assert (gray["duplicate"], webp["duplicate"], gray["index"], gray["name"]) == (True, False, 1, "kite.jpg")
    assert mill.ended(webp["id"])["status"] == "stored"
    counts = mill.get("/api/v1/batches/known").json()
    assert (counts["accepted"], counts["stored"]) == (2, 2)


def test_an_original_is_enough_where_no_result_is_known(mill: Mill, stored: str) -> None:
    (item,) = ask(mill, pictures=[{"sha256": stored}], recipes=["edges"])["accepted"]
    assert mill.ended(item["id"])["original"]["width"] == mill.image(item["id"])["original"]["width"]


def test_a_repeat_with_the_same_key_counts_once_whether_it_is_sent_or_not(mill: Mill, stored: str) -> None:
    key = uuid7()
    named = [{"sha256": stored, "name": "picture-0.jpg", "key": key}]
    first, second = (ask(mill, pictures=named, batch="keyed")["accepted"][0]["id"] for _ in range(2))
    sent = mill.upload(photo_jpeg(seed=801), batch="keyed", key=key).json()["accepted"][0]["id"]
    assert first == second == sent
    assert mill.get("/api/v1/batches/keyed").json()["accepted"] == 1


def test_a_check_accepts_nothing_and_pictures_of_a_source_are_always_sent(mill: Mill, stored: str) -> None:
    before = mill.totals()
    assert ask(mill, pictures=[{"sha256": stored}], check=True)["known"] == [0]
    assert ask(mill, pictures=[{"sha256": stored}], source="door")["unknown"] == [0]
    assert mill.totals() == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "bad-value"),
        ({"pictures": [{"sha256": "abc"}]}, 422, "bad-value"),
        ({"pictures": [{"sha256": NEW}] * 501}, 422, "bad-value"),
        ({"pictures": [{"sha256": NEW}], "recipes": "gray"}, 422, "bad-value"),
        ({"pictures": [{"sha256": NEW}], "recipes": ["grey"]}, 400, "unknown-recipe"),
        ({"pictures": [{"sha256": NEW, "key": "a b"}]}, 400, "bad-key"),
    ],
)
def test_what_makes_no_sense_is_refused(mill: Mill, body: dict[str, Any], status: int, code: str) -> None:
    assert ask(mill, status, **body)["code"] == code


@pytest.mark.parametrize(
    ("fields", "meant"), [({"rezipe": "edges"}, "did you mean 'recipe'?"), ({"color": "1"}, "there are name, recipe")]
)
def test_a_misspelt_field_is_refused_and_nothing_counted(mill: Mill, fields: dict[str, str], meant: str) -> None:
    before = mill.totals()
    answer = mill.upload(photo_jpeg(seed=802), **fields)
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown-field")
    assert meant in answer.json()["detail"]
    assert mill.totals() == before


def test_a_request_without_a_picture_is_no_rejected_picture(mill: Mill) -> None:
    before = mill.totals()
    answer = mill.post("/api/v1/images")
    assert (answer.status_code, answer.json()["code"]) == (400, "no-file")
    assert mill.totals() == before


def test_a_result_is_named_after_its_picture_and_recipe(mill: Mill, stored: str) -> None:
    (item,) = ask(mill, pictures=[{"sha256": stored, "name": "Kite.jpg"}])["accepted"]
    answer = mill.get(f"/api/v1/images/{item['id']}/result?download")
    named = "filename=\"Kite-gray.png\"; filename*=UTF-8''Kite-gray.png"
    assert answer.headers["Content-Disposition"] == f"attachment; {named}"
