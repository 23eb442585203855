"""A recipe tried on a picture, through real programs: the result is shown, and nothing remembers it."""

import json

import pictures
from imagemill import recipes
from mill import Mill
from pipeline.test_upload import broken_jpeg


def test_a_trial_shows_what_the_recipe_makes_and_leaves_nothing_behind(mill: Mill) -> None:
    data = pictures.photo_jpeg(320, 200, seed=4711)
    (image_id,) = mill.accepted(data)
    mill.ended(image_id)
    before = mill.totals()
    edges = recipes.load(None)["edges"]
    answer = mill.post(f"/api/v1/images/{image_id}/trial", params={"recipe": "edges"})
    assert answer.status_code == 200, answer.text
    wanted = edges.apply(data)
    assert (answer.content, answer.headers["Content-Type"]) == (wanted.data, wanted.content_type)
    facts = json.loads(answer.headers["Imagemill-Trial"])
    assert (facts["width"], facts["height"], facts["bytes"]) == (320, 200, len(wanted.data))
    assert answer.headers["Cache-Control"] == "no-store"
    assert mill.totals() == before
    # Under the same recipe it would be looked up, if anything of it had been kept.
    (again,) = mill.accepted(data, recipe="edges")
    assert not mill.ended(again)["duplicate"]


def test_what_fails_under_a_recipe_fails_in_a_trial_with_the_same_words(mill: Mill) -> None:
    (image_id,) = mill.accepted(broken_jpeg())
    failed = mill.ended(image_id)
    answer = mill.post(f"/api/v1/images/{image_id}/trial", params={"recipe": "gray"})
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["detail"]) == (failed["code"], failed["reason"])


def test_without_workers_a_trial_ends_soon_and_says_so(own_mill: Mill) -> None:
    own_mill.start("writer", "api", "worker")
    (image_id,) = own_mill.accepted(pictures.photo_jpeg(64, 48))
    own_mill.ended(image_id)
    own_mill.stop("worker")
    answer = own_mill.post(f"/api/v1/images/{image_id}/trial", params={"recipe": "edges"})
    assert (answer.status_code, answer.json()["code"]) == (504, "no-worker")
    own_mill.start("worker")
    answer = own_mill.post(f"/api/v1/images/{image_id}/trial", params={"recipe": "edges"})
    assert answer.status_code == 200  # the one that nobody waits for any more is not made
