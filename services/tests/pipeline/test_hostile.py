"""Pictures that are made to cost more than they look: none takes a worker down, or keeps it for long."""

import contextlib
import time
from collections import Counter

import broken_pictures
import hostile_pictures
import pictures
from imagemill import recipes
from imagemill.admission.validate import Limits, Rejected, validate
from mill import ENDS, Mill, adds_up

BROKEN = 400
GRAY = recipes.load(None)["gray"]

# The dearest takes two seconds on a machine that is not busy.
MOST_SECONDS = 20.0


def test_the_door_judges_each_at_once() -> None:
    for name, made in hostile_pictures.ALL.items():
        data = made()
        began = time.process_time()
        with contextlib.suppress(Rejected):
            validate(data, Limits())
        assert time.process_time() - began < 0.5, name


def test_each_is_rejected_or_ends_and_the_worker_goes_on(mill: Mill) -> None:
    worker, outcomes = mill.pid("worker"), {}
    for name, made in hostile_pictures.ALL.items():
        answer = mill.upload(made())
        if answer.status_code != 202:
            outcomes[name] = answer.json()["code"]
            continue
        image = mill.ended(answer.json()["accepted"][0]["id"])
        outcomes[name] = image["status"]
        assert image["status"] in ENDS
        assert image.get("code") in (None, "undecodable", "truncated", "too-many-pixels"), (name, image)
    assert outcomes["a JPEG of 2,000 scans"] == "too-many-scans"
    assert "stored" in outcomes.values()
    assert mill.running("worker")
    assert mill.pid("worker") == worker
    assert mill.ended(mill.accepted(pictures.photo_jpeg())[0], MOST_SECONDS)["status"] == "stored"
    assert "imagemill_loop_failures_total{" not in mill.metrics("worker")


def test_hundreds_of_broken_pictures_end_and_their_neighbours_are_unharmed(mill: Mill) -> None:
    worker, good, ended, refused = mill.pid("worker"), [], [], Counter[str]()
    for number, made in enumerate(broken_pictures.corpus(seed=3, count=BROKEN)):
        answer = mill.upload(made.data)
        assert answer.status_code in (202, 400, 413, 415, 422), (made.how, answer.text)
        if answer.status_code == 202:
            ended.append(answer.json()["accepted"][0]["id"])
        else:
            refused[answer.json()["code"]] += 1
        if number % 10 == 0:
            data = pictures.photo_jpeg(80, 60, seed=number)
            good.append((data, mill.accepted(data)[0]))
    assert len(ended) + sum(refused.values()) > BROKEN
    assert len(ended) > BROKEN / 10
    assert {mill.ended(image)["status"] for image in ended} == set(ENDS)
    for data, image in good:
        assert mill.ended(image)["status"] == "stored"
        assert mill.get(f"/api/v1/images/{image}/result").content == GRAY.apply(data).data
    assert adds_up(mill.all_ended())
    assert mill.pid("worker") == worker
    assert mill.running("worker")
    assert not [image for image in ended if mill.image(image).get("code") == "crashed"]
    assert "imagemill_loop_failures_total{" not in mill.metrics("worker")
