"""A picture goes in, its result is stored and seen: through the API of real processes."""

import contextlib
import hashlib
import http.client
import io
import socket
import threading
import uuid

import cv2
import numpy as np
import pytest
import requests
from PIL import Image

import pictures
from mill import Mill, adds_up, wait_for

STEPS = ["accepted", "taken", "done", "stored"]


def unique_jpeg(seed: int | None = None, width: int = 320, height: int = 200) -> bytes:
    return pictures.photo_jpeg(width, height, seed if seed is not None else uuid.uuid4().int % 2**32)


def broken_jpeg() -> bytes:
    """Looks like a JPEG at the door, but its pixels cannot be decoded."""
    whole = unique_jpeg()
    scan = whole.index(b"\xff\xda")
    return whole[: scan + 2] + b"\xff\x00" * 2000 + b"\xff\xd9"


def test_a_jpeg_becomes_a_stored_grey_png_with_its_trace(mill: Mill) -> None:
    data = unique_jpeg()
    (image_id,) = mill.accepted(data)
    image = mill.ended(image_id)
    assert image["status"] == "stored"
    assert [step["step"] for step in image["trace"]] == STEPS
    assert [step["by"] for step in image["trace"]] == ["api", "worker", "worker", "writer"]
    assert [step["at"] for step in image["trace"]] == sorted(step["at"] for step in image["trace"])
    assert image["original"] == {
        "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "width": 320, "height": 200,
        "content_type": "image/jpeg",
    }  # fmt: skip
    result = mill.get(f"/api/v1/images/{image_id}/result")
    assert result.headers["Content-Type"] == "image/png"
    decoded = Image.open(io.BytesIO(result.content))
    assert (decoded.mode, decoded.size) == ("L", (320, 200))
    assert hashlib.sha256(result.content).hexdigest() == image["result"]["sha256"]


def test_the_original_comes_back_bit_for_bit(mill: Mill) -> None:
    data = pictures.exif_gps_jpeg()
    (image_id,) = mill.accepted(data, recipe="thumbnail")
    assert mill.get(f"/api/v1/images/{image_id}/original").content == data


def test_originals_are_served_with_etag_304_range_and_sandbox(mill: Mill) -> None:
    data = unique_jpeg()
    (image_id,) = mill.accepted(data)
    path = f"/api/v1/images/{image_id}/original"
    whole = mill.get(path)
    # Asked for again each time: who logs in next in this browser may not see originals.
    assert whole.headers["Cache-Control"] == "private, no-cache"
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert mill.get(path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    part = mill.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])
    head = mill.http.head(mill.url + path, timeout=60)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(data)))
    mill.ended(image_id)
    assert "immutable" in mill.get(f"/api/v1/images/{image_id}/result").headers["Cache-Control"]


def test_a_result_above_the_inline_limit_travels_as_a_claim_check(mill: Mill) -> None:
    data = pictures.photo_jpeg(1920, 1080, seed=uuid.uuid4().int % 2**32, quality=99)
    assert len(data) > 500_000
    (image_id,) = mill.accepted(data)
    image = mill.ended(image_id)
    assert image["status"] == "stored"
    assert image["result"]["bytes"] > 500_000


def test_wait_answers_with_the_result_itself(mill: Mill) -> None:
    answer = mill.upload(unique_jpeg(), recipe="thumbnail", wait="60")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR) is not None
    image = mill.ended(answer.headers["Location"].rsplit("/", 1)[1])
    assert image["status"] == "stored"


def test_wait_for_a_known_result_is_answered_at_once(mill: Mill) -> None:
    data = unique_jpeg()
    first = mill.upload(data, wait="60")
    second = mill.upload(data, wait="60")
    assert second.content == first.content


def test_wait_tells_why_a_picture_failed(mill: Mill) -> None:
    answer = mill.upload(broken_jpeg(), wait="60")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] in {"undecodable", "truncated", "damaged"}


def test_wait_with_several_pictures_is_refused(mill: Mill) -> None:
    answer = mill.upload(unique_jpeg(), unique_jpeg(), wait="5")
    assert (answer.status_code, answer.json()["code"]) == (400, "wait-needs-one")


def test_an_undecodable_picture_ends_as_failed_with_a_reason_and_can_be_retried(mill: Mill) -> None:
    (image_id,) = mill.accepted(broken_jpeg())
    image = mill.ended(image_id)
    assert (image["status"], image["result"]) == ("failed", None)
    assert image["reason"]
    assert mill.get(f"/api/v1/images/{image_id}/result").status_code == 422
    again = mill.post(f"/api/v1/images/{image_id}/retry")
    assert again.status_code == 202
    assert mill.ended(again.json()["id"])["retry_of"] == image_id


def test_only_failed_pictures_are_retried(mill: Mill) -> None:
    (image_id,) = mill.accepted(unique_jpeg())
    mill.ended(image_id)
    answer = mill.post(f"/api/v1/images/{image_id}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-failed")


def test_the_plain_way_in_and_out(mill: Mill) -> None:
    accepted = mill.post("/image", data=unique_jpeg(), headers={"Content-Type": "image/jpeg"})
    assert accepted.status_code == 202
    location = accepted.headers["Location"]
    wait_for(lambda: mill.get(location).status_code != 202, "the picture")
    done = mill.get(location)
    assert (done.status_code, done.headers["Content-Type"]) == (200, "image/png")


def test_the_plain_way_waits_as_long_as_it_is_asked_to(mill: Mill) -> None:
    location = mill.post("/image", data=unique_jpeg()).headers["Location"]
    done = mill.get(location, params={"wait": "60"})
    assert (done.status_code, done.headers["Content-Type"]) == (200, "image/png")
    broken = mill.post("/image", data=broken_jpeg()).headers["Location"]
    assert mill.get(broken, params={"wait": "60"}).status_code == 422
    for wrong in ("-1", "soon", "86400"):
        answer = mill.get(location, params={"wait": wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-wait")


def test_the_plain_way_does_not_wait_for_ever(own_mill: Mill) -> None:
    own_mill.start("writer", "api")
    location = own_mill.post("/image", data=unique_jpeg()).headers["Location"]
    answer = own_mill.get(location, params={"wait": "0.2"})
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")


def test_the_plain_way_tells_a_failure_and_an_unknown_id(mill: Mill) -> None:
    location = mill.post("/image", data=broken_jpeg()).headers["Location"]
    wait_for(lambda: mill.get(location).status_code != 202, "the picture")
    failed = mill.get(location)
    assert failed.status_code == 422
    assert failed.json()["detail"]
    assert mill.get(f"/image/{uuid.uuid4()}").status_code == 404
    assert mill.get("/image/nonsense").status_code == 404


def test_a_raw_body_has_its_name_from_the_query(mill: Mill) -> None:
    answer = mill.post("/api/v1/images?name=holiday.jpg&recipe=gray", data=unique_jpeg())
    assert answer.json()["accepted"][0]["name"] == "holiday.jpg"


def test_several_recipes_make_several_images_of_one_original(mill: Mill) -> None:
    answer = mill.upload(unique_jpeg(), recipe=["gray", "thumbnail", "webp"]).json()
    assert [item["recipe"] for item in answer["accepted"]] == ["gray", "thumbnail", "webp"]
    assert len({item["sha256"] for item in answer["accepted"]}) == 1
    assert {mill.ended(item["id"])["result"]["content_type"] for item in answer["accepted"]} == {
        "image/png", "image/jpeg", "image/webp",
    }  # fmt: skip


def test_the_same_picture_under_the_same_recipe_is_not_computed_again(mill: Mill) -> None:
    data = unique_jpeg()
    (first,) = mill.accepted(data)
    result = mill.ended(first)["result"]
    answer = mill.upload(data).json()["accepted"][0]
    assert answer["duplicate"] is True
    second = mill.image(answer["id"])
    assert (second["status"], second["duplicate"], second["result"]) == ("stored", True, result)


def test_the_same_picture_twice_at_once_counts_as_one_duplicate(mill: Mill) -> None:
    batch = uuid.uuid4().hex
    data = unique_jpeg()
    for image_id in mill.accepted(data, data, batch=batch):
        mill.ended(image_id)
    counts = mill.get(f"/api/v1/batches/{batch}").json()
    assert (counts["stored"], counts["duplicates"]) == (2, 1)


def test_a_batch_counts_exactly_what_was_offered(mill: Mill) -> None:
    batch = f"holiday-{uuid.uuid4().hex[:8]}"
    answer = mill.upload(unique_jpeg(), b"no picture", broken_jpeg(), unique_jpeg(), batch=batch)
    assert answer.status_code == 202
    assert [item["code"] for item in answer.json()["rejected"]] == ["not-an-image"]
    found = wait_for(lambda: (c := mill.get(f"/api/v1/batches/{batch}").json())["in_flight"] == 0 and c, "the batch")
    assert found["recipes"] == {"gray": 3}
    assert found["began_at"] <= found["ended_at"]
    assert {name: found[name] for name in found if name not in ("recipes", "began_at", "ended_at")} == {
        "id": batch, "offered": 4, "accepted": 3, "rejected": 1, "stored": 2, "duplicates": 0, "failed": 1,
        "failed_open": 1, "damaged": 0, "in_flight": 0, "erased": 0,
    }  # fmt: skip
    assert adds_up(mill.totals())


def test_lists_are_paged_by_cursor_and_filtered_by_batch_and_state(mill: Mill) -> None:
    batch = uuid.uuid4().hex
    ids = mill.accepted(*[unique_jpeg() for _ in range(5)], batch=batch, recipe="thumbnail")
    bad = mill.accepted(broken_jpeg(), batch=batch)
    for image_id in ids + bad:
        mill.ended(image_id)

    def pages(**query: str) -> list[str]:
        seen, after = [], None
        while True:
            page = mill.get(
                "/api/v1/images", params={**query, "limit": 2, **({"after": after} if after else {})}
            ).json()
            assert len(page["images"]) <= 2
            seen += [image["id"] for image in page["images"]]
            after = page["next"]
            if after is None:
                return seen

    assert pages(batch=batch) == sorted(ids + bad, reverse=True)
    assert pages(batch=batch, state="stored") == sorted(ids, reverse=True)
    assert pages(batch=batch, state="failed") == bad
    assert pages(batch=batch, state="in_flight") == []
    newest = mill.get("/api/v1/images", params={"limit": 3}).json()["images"]
    assert [image["id"] for image in newest] == sorted(ids + bad, reverse=True)[:3]


def test_rejections_are_listed_with_their_reasons(mill: Mill) -> None:
    batch = uuid.uuid4().hex
    mill.upload(b"text", b"", batch=batch)
    listed = mill.get("/api/v1/rejections", params={"batch": batch}).json()["rejections"]
    assert {item["code"] for item in listed} == {"not-an-image", "empty"}


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty"),
        (b"just some text, called .jpg", 415, "not-an-image"),
        (pictures.truncated_jpeg(), 422, "truncated"),
        (pictures.bomb_png_header(), 413, "too-many-pixels"),
        (pictures.gif_animated(), 422, "animated"),
        (pictures.photo_jpeg(64, 48) + bytes(3_000_001), 413, "too-large"),
    ],
    ids=["empty", "text", "truncated", "bomb", "animated", "too-large"],
)
def test_bad_input_is_refused_at_the_door_and_counted(mill: Mill, data: bytes, status: int, code: str) -> None:
    before = mill.totals()
    answer = mill.upload(data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["rejected"][0]["detail"]
    after = mill.totals()
    assert after["rejected"] == before["rejected"] + 1
    assert after["accepted"] == before["accepted"]
    assert adds_up(after)


def test_a_raw_body_that_is_too_large_is_refused_with_its_size(mill: Mill) -> None:
    before = mill.totals()
    answer = mill.post("/api/v1/images?recipe=gray", data=bytes(40_000_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    (rejected,) = answer.json()["rejected"]
    assert (rejected["code"], "40,000,000 bytes" in rejected["detail"]) == ("too-large", True)
    assert mill.totals()["rejected"] == before["rejected"] + 1


def test_a_form_without_a_file_is_refused(mill: Mill) -> None:
    answer = mill.post("/api/v1/images", data={"recipe": "gray"})
    assert (answer.status_code, answer.json()["code"]) == (400, "no-file")


def test_an_unknown_recipe_is_refused_and_the_known_ones_are_named(mill: Mill) -> None:
    answer = mill.upload(unique_jpeg(), recipe="sepia")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown-recipe")
    assert "gray" in answer.json()["detail"]


def test_too_many_files_in_one_request_are_refused_as_a_whole(mill: Mill) -> None:
    before = mill.all_ended()
    answer = mill.upload(*[b"x"] * 5000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-files")
    assert mill.totals() == before


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("Ferien ☀ Zürich.jpg", "Ferien ☀ Zürich.jpg"),
        ("a\u202egpj.exe", "agpj.exe"),
    ],
)
def test_names_are_shown_without_paths_and_tricks(mill: Mill, sent: str, shown: str) -> None:
    answer = mill.post("/api/v1/images", params={"name": sent}, data=unique_jpeg())
    assert answer.json()["accepted"][0]["name"] == shown


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"batch": "../x"}, "bad-batch"),
        ({"source": ".."}, "bad-source"),
        ({"source": "door/1"}, "bad-source"),
        ({"source": "a\nb"}, "bad-source"),
        ({"priority": "high"}, "bad-priority"),
        ({"wait": "soon"}, "bad-wait"),
        ({"wait": "1e9"}, "bad-wait"),
    ],
)
def test_wrong_fields_are_refused_with_a_code(mill: Mill, query: dict[str, str], code: str) -> None:
    answer = mill.post("/api/v1/images", params=query, data=unique_jpeg())
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("content_type", "beginning"),
    [
        ("image/jpeg", b""),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n',
        ),
    ],
)
def test_a_client_which_is_gone_in_mid_upload_leaves_nothing_behind(
    mill: Mill, content_type: str, beginning: bytes
) -> None:
    before = mill.totals()
    with socket.create_connection(("127.0.0.1", mill.port), timeout=60) as connection:
        head = (
            f"POST /api/v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
            "Content-Length: 100000\r\n\r\n"
        )
        connection.sendall(head.encode() + beginning + unique_jpeg()[:5000])
    answer = mill.upload(unique_jpeg())
    assert answer.status_code == 202
    mill.all_ended()
    assert mill.totals()["offered"] == before["offered"] + 1


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v1/cameras", {"Content-Type": "application/json"}, 413),
        ("/image", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/nowhere", {}, 404),
    ],
)
def test_a_body_refused_unread_is_answered_and_the_connection_is_said_to_end(
    mill: Mill, path: str, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", mill.port, timeout=120)
    with contextlib.closing(connection):
        connection.request("POST", path, b" " * 300_000, headers)
        answer = connection.getresponse()
        assert (answer.status, answer.will_close) == (status, True)
        assert answer.read()
        connection.request("GET", "/api/v1/totals")  # over a new one
        assert connection.getresponse().status == 200


def test_a_body_larger_than_any_request_may_be_is_refused_at_once_and_the_connection_closed(mill: Mill) -> None:
    with socket.create_connection(("127.0.0.1", mill.port), timeout=120) as connection:
        connection.sendall(b"POST /image HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000001\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.getheader("Connection")) == (413, "close")


def test_requests_from_pages_of_other_sites_are_refused(mill: Mill) -> None:
    answer = mill.post("/image", data=unique_jpeg(), headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")


def test_events_tell_each_mark_as_it_happens(mill: Mill) -> None:
    batch = uuid.uuid4().hex
    marks: list[str] = []
    totals: list[dict[str, int]] = []

    def listen() -> None:
        for kind, data in mill.events(batch=batch):
            if kind == "totals":
                totals.append(data)
            if kind == "activity":
                marks.append(data["kind"])
            if set(STEPS) <= set(marks) and len(totals) > 1:
                return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    wait_for(lambda: totals, "the first totals")
    mill.accepted(unique_jpeg(), batch=batch)
    listener.join(120)
    assert set(STEPS) <= set(marks)
    assert all(adds_up(item) for item in totals)


def test_the_journal_tells_one_pictures_story(mill: Mill) -> None:
    (image_id,) = mill.accepted(unique_jpeg())
    story = wait_for(
        lambda: len((s := mill.get(f"/api/v1/images/{image_id}/story").json())["activity"]) >= 4 and s, "the story"
    )
    assert [record["kind"] for record in story["activity"]] == STEPS


def test_metrics_and_health_are_served_by_every_program(mill: Mill) -> None:
    assert "imagemill_http_requests_total" in mill.metrics("api")
    assert "imagemill_worker_image_seconds" in mill.metrics("worker")
    assert "imagemill_outcomes_total" in mill.metrics("writer")
    assert mill.health("api", "/healthz").json() == {"status": "ok", "problems": {}}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_the_public_port_tells_nobody_how_the_program_is(mill: Mill, path: str) -> None:
    assert mill.get(path).status_code == 404


def test_an_unknown_batch_and_an_unknown_path_are_problems(mill: Mill) -> None:
    for path, code in (("/api/v1/batches/never", "unknown-batch"), ("/api/v1/nothing", "not-found")):
        answer = mill.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_recipes_are_told_with_their_pools(mill: Mill) -> None:
    recipes = {item["name"]: item for item in mill.get("/api/v1/recipes").json()["recipes"]}
    assert {"gray", "compress", "thumbnail", "fit", "webp", "denoise", "edges"} <= set(recipes)
    assert recipes["denoise"]["pool"] == "heavy"
    assert recipes["gray"]["pool"] == "default"


def test_sixteen_clients_at_once_are_all_accepted_and_stored(mill: Mill) -> None:
    before = mill.all_ended()
    batch = uuid.uuid4().hex

    def client() -> None:
        with requests.Session() as session:
            for _ in range(5):
                session.post(
                    f"{mill.url}/api/v1/images", params={"batch": batch, "recipe": "thumbnail"}, data=unique_jpeg(),
                    timeout=120,
                ).raise_for_status()  # fmt: skip

    threads = [threading.Thread(target=client) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = mill.all_ended()
    assert counts["stored"] == before["stored"] + 80
    assert adds_up(counts)
