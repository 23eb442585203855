"""Erased pictures are gone for whoever asks, still count, and can be taken back for a while."""

import csv
import io
import uuid
import zipfile
from typing import Any

import pytest

from api.images.test_failures import failed
from mill import Mill, adds_up, form_token, wait_for
from pictures import photo_jpeg

SERVED = ("original", "result", "preview", "preview?of=original")


def batch_of(mill: Mill, *seeds: int) -> tuple[str, list[str]]:
    """A batch of stored pictures, and their ids."""
    name = f"erase-{uuid.uuid4().hex[:8]}"
    ids = mill.accepted(*[photo_jpeg(seed=seed) for seed in seeds], batch=name)
    for one in ids:
        assert mill.ended(one)["status"] == "stored"
    return name, ids


def erase(mill: Mill, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = mill.post("/api/v1/erasures", json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def undo(mill: Mill, **body: Any) -> dict[str, Any]:
    return dict(mill.post("/api/v1/erasures/undo", json=body).json())


def counts(mill: Mill, batch: str) -> dict[str, int]:
    found = dict(mill.get(f"/api/v1/batches/{batch}").json())
    assert adds_up(found)
    return found


def test_what_was_erased_is_served_no_more_and_still_counts(mill: Mill) -> None:
    batch, (gone, kept) = batch_of(mill, 901, 902)
    answer = mill.http.delete(f"{mill.url}/api/v1/images/{gone}", params={"note": "blurred"}, timeout=30)
    assert answer.status_code == 200
    assert (answer.json()["erasure"]["note"], answer.json()["erasure"]["state"]) == ("blurred", "pending")
    for path in SERVED:
        refused = mill.get(f"/api/v1/images/{gone}/{path}")
        assert (refused.status_code, refused.json()["code"]) == (410, "erased"), path
    assert mill.get(f"/image/{gone}").status_code == 410
    assert mill.get(f"/api/v1/images/{kept}/result").status_code == 200
    found = counts(mill, batch)
    assert (found["stored"], found["erased"]) == (2, 1)
    listed = mill.get("/api/v1/images", params={"batch": batch, "state": "erased"}).json()["images"]
    assert [item["id"] for item in listed] == [gone]
    assert mill.image(gone)["status"] == "stored"


def test_it_can_be_taken_back(mill: Mill) -> None:
    batch, (one,) = batch_of(mill, 903)
    assert [item["id"] for item in erase(mill, images=[one])["erased"]] == [one]
    assert undo(mill, images=[one]) == {"undone": [one], "refused": [], "next": None}
    assert mill.image(one)["erasure"] is None
    assert mill.get(f"/api/v1/images/{one}/result").status_code == 200
    assert counts(mill, batch)["erased"] == 0


def test_to_erase_twice_is_to_erase_once(mill: Mill) -> None:
    batch, (one,) = batch_of(mill, 904)
    first = erase(mill, images=[one], note="first")["erased"]
    assert erase(mill, images=[one], note="second")["erased"] == first
    assert counts(mill, batch)["erased"] == 1


def test_a_whole_batch_and_what_is_not_known(mill: Mill) -> None:
    batch, ids = batch_of(mill, 905, 906, 907)
    assert {item["id"] for item in erase(mill, batch=batch)["erased"]} == set(ids)
    unknown = str(uuid.uuid4())
    assert [item["code"] for item in erase(mill, images=[unknown])["refused"]] == ["unknown-image"]
    assert len(undo(mill, batch=batch)["undone"]) == 3


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "bad-value"), ({"batch": "a/b"}, "bad-batch"), ({"batch": "a", "after": "x"}, "bad-cursor"),
     ({"images": []}, "bad-value"), ({"batch": "a", "note": "n" * 501}, "bad-value")],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_said(mill: Mill, body: dict[str, Any], code: str) -> None:
    answer = mill.post("/api/v1/erasures", json=body)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] == code


def test_what_is_in_flight_is_refused(mill: Mill) -> None:
    mill.stop("worker")
    try:
        (one,) = mill.accepted(photo_jpeg(seed=908))
        assert [item["code"] for item in erase(mill, images=[one])["refused"]] == ["in-flight"]
        assert mill.http.delete(f"{mill.url}/api/v1/images/{one}", timeout=30).status_code == 409
    finally:
        mill.start("worker")
    assert mill.ended(one)["erasure"] is None


def test_an_erased_failure_is_open_no_more_until_it_is_taken_back(mill: Mill) -> None:
    batch = f"erase-{uuid.uuid4().hex[:8]}"
    (one,) = failed(mill, batch)
    erase(mill, images=[one])
    assert (counts(mill, batch)["failed"], counts(mill, batch)["failed_open"]) == (1, 0)
    refused = mill.post(f"/api/v1/images/{one}/retry")
    assert (refused.status_code, refused.json()["code"]) == (410, "erased")
    undo(mill, images=[one])
    assert counts(mill, batch)["failed_open"] == 1


def test_no_other_recipe_is_made_of_what_was_erased(mill: Mill) -> None:
    _, (one,) = batch_of(mill, 909)
    erase(mill, images=[one])
    assert mill.post(f"/api/v1/images/{one}/again", data={"recipe": "webp"}).json()["code"] == "erased"


def test_a_zip_has_no_erased_result_and_says_so(mill: Mill) -> None:
    batch, (gone, kept) = batch_of(mill, 910, 911)
    erase(mill, images=[gone])
    archive = zipfile.ZipFile(io.BytesIO(mill.get(f"/api/v1/batches/{batch}/results.zip").content))
    rows = {row["id"]: row for row in csv.DictReader(archive.read("manifest.csv").decode().splitlines())}
    assert len(archive.namelist()) == 2
    assert rows[gone]["erased_at"] == mill.image(gone)["erasure"]["at"]
    assert (rows[gone]["file"], rows[kept]["erased_at"]) == ("", "")


def test_the_same_picture_can_come_again_at_any_time(mill: Mill) -> None:
    batch, (one,) = batch_of(mill, 912)
    erase(mill, images=[one])
    (again,) = mill.accepted(photo_jpeg(seed=912), batch=batch)
    assert mill.ended(again)["status"] == "stored"
    assert mill.get(f"/api/v1/images/{again}/result").status_code == 200
    assert mill.get(f"/api/v1/images/{one}/result").status_code == 410


def test_by_its_hash_alone_nobody_gets_what_was_erased(mill: Mill) -> None:
    _, (one,) = batch_of(mill, 914)
    hashes = [mill.image(one)[which]["sha256"] for which in ("original", "result")]
    erase(mill, images=[one])
    for recipe in ("gray", "webp"):
        answer = mill.post("/api/v1/known", json={"pictures": [{"sha256": one} for one in hashes], "recipes": [recipe]})
        assert (answer.json()["known"], answer.json()["unknown"]) == ([], [0, 1]), recipe
    (again,) = mill.accepted(photo_jpeg(seed=914))
    mill.ended(again)
    # Until the index is built all bytes are asked for.
    named = {"pictures": [{"sha256": hashes[0]}]}
    wait_for(lambda: mill.post("/api/v1/known", json=named).json()["known"] == [0], "the index")


def test_the_page_goes_on_where_it_ended_with_a_large_batch(mill: Mill) -> None:
    batch, ids = batch_of(mill, 915, 916, 917)
    newest = max(ids)
    page = mill.get(f"/batches/{batch}?erased=1&more={newest}").text
    token = {"form_token": form_token(page)} if 'name="form_token"' in page else {}
    assert f'name="after" value="{newest}"' in page
    assert (
        "2 pictures of this batch are erased"
        in mill.post(f"/batches/{batch}/erase", data={"after": newest, **token}).text
    )
    assert mill.image(newest)["erasure"] is None
    assert (
        "<script" not in mill.get(f"/batches/{batch}?erased=1&more=<script>").text.split("<main")[1].split("</main")[0]
    )


def test_the_page_shows_it_and_takes_it_back(mill: Mill) -> None:
    batch, (one,) = batch_of(mill, 913)
    page = mill.get(f"/pictures/{one}").text
    assert "Erase this picture" in page
    token = {"form_token": form_token(page)} if 'name="form_token"' in page else {}
    assert mill.post(f"/pictures/{one}/erase", data={"note": "<b>mine</b>", **token}).status_code == 200
    erased = mill.get(f"/pictures/{one}").text
    assert "&lt;b&gt;mine" in erased
    assert f"/api/v1/images/{one}/result" not in erased
    assert mill.post(f"/pictures/{one}/unerase", data=token).status_code == 200
    assert mill.image(one)["erasure"] is None
    assert "1 picture of this batch is erased" in mill.post(f"/batches/{batch}/erase", data=token).text
    assert "1 picture is shown again" in mill.post(f"/batches/{batch}/unerase", data=token).text


def test_what_is_pinned_cannot_be_erased(mill: Mill) -> None:
    batch, (one,) = batch_of(mill, 914)
    pinned = mill.http.put(f"{mill.url}/api/v1/images/{one}/pin", json={"note": "evidence"}, timeout=30)
    assert (pinned.status_code, pinned.json()["note"]) == (200, "evidence")
    assert mill.image(one)["pin"]["note"] == "evidence"
    assert [item["code"] for item in erase(mill, batch=batch)["refused"]] == ["pinned"]
    assert "It cannot be erased." in mill.get(f"/pictures/{one}").text
    assert mill.http.delete(f"{mill.url}/api/v1/images/{one}/pin", timeout=30).status_code == 204
    assert len(erase(mill, batch=batch)["erased"]) == 1
    late = mill.http.put(f"{mill.url}/api/v1/images/{one}/pin", timeout=30)
    assert (late.status_code, late.json()["code"]) == (410, "erased")
