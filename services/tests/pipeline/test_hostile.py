"""Pictures that are made to cost more than they look: none takes a worker down, or keeps it for long."""

import contextlib
import time

import hostile_pictures
import pictures
from imagemill.admission.validate import Limits, Rejected, validate
from mill import ENDS, Mill

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
