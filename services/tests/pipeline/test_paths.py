"""Where a file lies in its folder is kept as its name."""

import hashlib
import io
import uuid
import zipfile

import pytest

import pictures
from mill import Mill


def send(mill: Mill, paths: list[str], batch: str, count: int = 2) -> tuple[int, dict[str, object]]:
    base = uuid.uuid4().int % 2**31
    files = [("file", ("IMG_1.jpg", pictures.photo_jpeg(96, 64, seed=base + n), "image/jpeg")) for n in range(count)]
    answer = mill.post("/api/v1/images", files=files, data={"recipe": "gray", "batch": batch, "path": paths})
    return answer.status_code, answer.json()


def test_two_files_of_one_name_are_told_apart_by_their_folders(mill: Mill) -> None:
    batch = uuid.uuid4().hex
    status, answer = send(mill, ["card-a/IMG_1.jpg", "card-b/IMG_1.jpg"], batch)
    assert status == 202
    ids = {item["name"]: item["id"] for item in answer["accepted"]}  # type: ignore[attr-defined]
    assert set(ids) == {"card-a/IMG_1.jpg", "card-b/IMG_1.jpg"}
    for image_id in ids.values():
        mill.ended(image_id)
    listed = mill.get("/api/v1/images", params={"batch": batch, "name": "card-b/"}).json()["images"]
    assert [image["id"] for image in listed] == [ids["card-b/IMG_1.jpg"]]
    headers = {"Accept": "text/html"}
    assert ids["card-a/IMG_1.jpg"] in mill.get("/find", params={"q": "card-a/"}, headers=headers).text
    page = mill.get(f"/batches/{batch}", headers=headers).text
    assert "card-a/</p>" in page
    kept_as = mill.get(f"/api/v1/images/{ids['card-a/IMG_1.jpg']}/result", params={"download": "1"}).headers
    assert kept_as["Content-Disposition"].endswith("''IMG_1-gray.png")
    archive = zipfile.ZipFile(io.BytesIO(mill.get(f"/api/v1/batches/{batch}/results.zip").content))
    assert {"card-a/IMG_1-gray.png", "card-b/IMG_1-gray.png"} <= set(archive.namelist())


def test_raw_bodies_and_known_pictures_have_paths_too(mill: Mill) -> None:
    data = pictures.photo_jpeg(96, 64, seed=uuid.uuid4().int % 2**31)
    sent = mill.post("/api/v1/images", params={"path": "trip/raw.jpg"}, data=data).json()
    assert sent["accepted"][0]["name"] == "trip/raw.jpg"
    mill.ended(sent["accepted"][0]["id"])
    named = {"sha256": hashlib.sha256(data).hexdigest(), "path": "trip/known.jpg"}
    known = mill.post("/api/v1/known", json={"pictures": [named], "recipes": ["gray"]}).json()
    assert known["accepted"][0]["name"] == "trip/known.jpg"


@pytest.mark.parametrize(
    "paths", [["../a.jpg", "b.jpg"], ["/etc/a.jpg", "b.jpg"], ["a.jpg"], ["x/" * 300 + "a.jpg", "b.jpg"]]
)
def test_paths_that_lead_elsewhere_or_are_not_one_for_each_file_are_refused(mill: Mill, paths: list[str]) -> None:
    before = mill.totals()
    status, answer = send(mill, paths, uuid.uuid4().hex)
    assert (status, answer["code"]) == (422, "bad-path")
    assert mill.totals()["offered"] == before["offered"]


def test_an_empty_path_leaves_the_name(mill: Mill) -> None:
    _, answer = send(mill, ["", "trip/b.jpg"], uuid.uuid4().hex)
    assert [item["name"] for item in answer["accepted"]] == ["IMG_1.jpg", "trip/b.jpg"]  # type: ignore[attr-defined]
