"""From an upload to its previews, through real programs."""

import io
import uuid
from pathlib import Path

import pytest
import requests
from PIL import Image

import pictures
from imagemill.domain.previews import MAX_BYTES
from mill import Mill

PROGRAMS = Path(__file__).parent / "programs"


def photo(width: int = 960, height: int = 540) -> bytes:
    return pictures.photo_jpeg(width, height, seed=uuid.uuid4().int % 2**32, quality=92)


def preview(mill: Mill, image_id: str, of: str = "result", **query: object) -> requests.Response:
    return mill.get(f"/api/v1/images/{image_id}/preview", params={"of": of}, **query)


def mode_and_size(answer: requests.Response) -> tuple[bool, tuple[int, int]]:
    """Is it coloured, and how large is it?"""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp"), answer.text
    assert len(answer.content) <= MAX_BYTES
    image = Image.open(io.BytesIO(answer.content)).convert("YCbCr")
    return max(high - low for low, high in image.getextrema()[1:]) > 30, image.size


@pytest.mark.parametrize("recipe", ["gray", "compress"])
def test_what_is_stored_has_previews_of_its_result_and_its_original(mill: Mill, recipe: str) -> None:
    (image_id,) = mill.accepted(photo(), recipe=recipe)
    stored = mill.ended(image_id)
    # One is stored by the worker itself, the other goes to the writer.
    assert (stored["result"]["bytes"] > 64 * 1024) is (recipe == "gray")
    assert mode_and_size(preview(mill, image_id)) == (recipe != "gray", (320, 180))
    assert mode_and_size(preview(mill, image_id, "original")) == (True, (320, 180))


def test_a_known_result_has_the_previews_of_the_first(mill: Mill) -> None:
    data = photo()
    (first,) = mill.accepted(data)
    mill.ended(first)
    (second,) = mill.accepted(data)
    assert mill.ended(second)["duplicate"]
    for of in ("result", "original"):
        assert preview(mill, second, of).content == preview(mill, first, of).content


def test_what_is_light_is_its_own_preview(mill: Mill) -> None:
    data = pictures.photo_jpeg(64, 48, seed=uuid.uuid4().int % 2**32)
    (image_id,) = mill.accepted(data)
    mill.ended(image_id)
    assert preview(mill, image_id).content == mill.get(f"/api/v1/images/{image_id}/result").content
    assert preview(mill, image_id, "original").content == data


def test_previews_are_kept_by_browsers_originals_asked_for_again(mill: Mill) -> None:
    (image_id,) = mill.accepted(photo())
    mill.ended(image_id)
    for of, kept in (("result", "private, max-age=31536000, immutable"), ("original", "private, no-cache")):
        answer = preview(mill, image_id, of)
        assert answer.headers["Cache-Control"] == kept
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        again = preview(mill, image_id, of, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_a_worker_without_previews_stores_all_the_same(own_mill: Mill) -> None:
    own_mill.start("writer", "api")
    own_mill.start("worker", preview_pixels=0)
    (image_id,) = own_mill.accepted(photo())
    assert own_mill.ended(image_id)["status"] == "stored"
    answer = preview(own_mill, image_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "no-preview")
    assert "max-age" in answer.headers["Cache-Control"]


def test_previews_that_cannot_be_made_fail_no_picture_and_are_counted(own_mill: Mill) -> None:
    own_mill.start("writer", "api")
    own_mill.start("worker", module=[str(PROGRAMS / "previewless_worker.py")])
    (image_id,) = own_mill.accepted(photo())
    assert own_mill.ended(image_id)["status"] == "stored"
    assert preview(own_mill, image_id).status_code == 404
    assert "imagemill_worker_no_preview_total 2.0" in own_mill.metrics("worker")
