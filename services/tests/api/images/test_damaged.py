"""A picture of which pixels were lost is never silently stored."""

import pytest

from imagemill import recipes
from imagemill.domain.ids import timestamp, uuid7
from imagemill.domain.images import ImageInfo, Job
from imagemill.wire.work import WorkItem
from imagemill.worker.recipe_runner import RecipeRunner
from mill import Mill
from pictures import photo_jpeg


def damaged_jpeg(seed: int) -> bytes:
    data = photo_jpeg(320, 240, seed=seed)
    middle = len(data) // 2
    return data[:middle] + b"\xff\xc4" * 500 + data[middle + 1000 :]


def test_it_is_stored_with_a_warning_that_is_counted_and_listed(mill: Mill) -> None:
    before = mill.totals()["damaged"]
    (image_id,) = mill.accepted(damaged_jpeg(1), batch="damaged")
    (sound,) = mill.accepted(photo_jpeg(320, 240, seed=1), batch="damaged")
    image = mill.ended(image_id)
    assert (image["status"], image["warnings"]) == ("stored", ["damaged"])
    assert mill.ended(sound)["warnings"] == []
    assert mill.totals()["damaged"] == before + 1
    listed = mill.get("/api/v1/images", params={"state": "damaged", "batch": "damaged"}).json()["images"]
    assert [item["id"] for item in listed] == [image_id]
    assert "The file is damaged" in mill.get(f"/pictures/{image_id}").text
    assert "1 damaged" in mill.get("/batches/damaged").text


def test_a_duplicate_of_it_says_so_too(mill: Mill) -> None:
    (first,) = mill.accepted(damaged_jpeg(2), batch="again")
    assert mill.ended(first)["warnings"] == ["damaged"]
    (second,) = mill.accepted(damaged_jpeg(2), batch="again")
    image = mill.ended(second)
    assert (image["duplicate"], image["warnings"]) == (True, ["damaged"])


@pytest.mark.parametrize(("damaged_fail", "status", "code"), [(True, "failed", "damaged"), (False, "stored", None)])
def test_whether_it_fails_is_a_setting(damaged_fail: bool, status: str, code: str | None) -> None:
    gray, data = recipes.load(None)["gray"], damaged_jpeg(3)
    info = ImageInfo(sha256="0" * 64, bytes=len(data), width=320, height=240, content_type="image/jpeg")
    job = Job(
        id=uuid7(), batch="b", name="a.jpg", recipe="gray", recipe_steps=gray.canonical, recipe_digest=gray.digest,
        original=info, accepted_at=timestamp(), by="api",
    )  # fmt: skip
    runner = RecipeRunner(None, "worker", damaged_fail)  # type: ignore[arg-type]
    item = WorkItem(job, 1, 0, suspicious=False, reply_to=None)
    finished = runner.work_on(item, data, runner.taken(item), lambda: None)
    assert (finished.outcome.status, finished.outcome.code) == (status, code)
