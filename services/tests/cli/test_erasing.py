"""`imagemill erase`, `pin` and the filters of `list`, against a running Imagemill."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from fake_api import Ended
from mill import Mill
from pictures import photo_jpeg

Run = Callable[..., Ended]


@pytest.fixture
def run(imagemill: Run, mill: Mill) -> Run:
    return lambda *arguments, **more: imagemill("--api", mill.url, *arguments, **more)


def batch_of(mill: Mill, *seeds: int) -> tuple[str, list[str]]:
    name = f"erase-{uuid.uuid4().hex[:8]}"
    ids = mill.accepted(*(photo_jpeg(96, 64, seed) for seed in seeds), batch=name)
    for one in ids:
        mill.ended(one)
    return name, ids


def erasure(mill: Mill, image_id: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = mill.image(image_id)["erasure"]
    return found


def test_pictures_are_erased_shown_as_such_and_taken_back(run: Run, mill: Mill) -> None:
    _, (one,) = batch_of(mill, 51)
    done = run("erase", one, "--yes", "--note", "not wanted")
    assert (done.code, done.out) == (0, "1 picture erased\n")
    assert "imagemill erase --undo" in done.err
    assert "not wanted" in run("show", one).out
    assert "stored, erased" in run("list", "--state", "erased").out
    back = run("erase", one, "--undo")
    assert (back.code, back.out) == (0, "1 picture served again\n")
    assert erasure(mill, one) is None
    assert run("erase", one, "--undo").code == 1


def test_a_batch_is_erased_as_a_whole_and_at_once_it_cannot_be_undone(run: Run, mill: Mill) -> None:
    batch, ids = batch_of(mill, 52, 53)
    told = json.loads(run("erase", "--batch", batch, "--yes", "--now", "--json").out)
    assert {item["id"] for item in told["erased"]} == set(ids)
    late = run("erase", "--batch", batch, "--undo")
    assert late.code == 1
    assert "(erased)" in late.out


def test_nothing_is_erased_where_nobody_can_be_asked(run: Run, mill: Mill) -> None:
    _, (one,) = batch_of(mill, 54)
    refused = run("erase", one)
    assert refused.code == 2
    assert "say --yes" in refused.err
    assert erasure(mill, one) is None


@pytest.mark.parametrize(
    "arguments", [(), ("x", "--batch", "b"), ("x", "--undo", "--now"), ("x", "--undo", "--note", "n")]
)
def test_what_does_not_go_together_is_said(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("erase", *arguments).code == 2


def test_what_is_pinned_cannot_be_erased(run: Run, mill: Mill) -> None:
    _, (one,) = batch_of(mill, 55)
    assert run("pin", one, "--note", "evidence").out.endswith(": evidence\n")
    refused = run("erase", one, "--yes")
    assert refused.code == 1
    assert "(pinned)" in refused.out
    assert run("pin", one, "--undo").code == 0
    assert run("erase", one, "--yes").code == 0


def test_pictures_are_listed_by_what_they_are(run: Run, mill: Mill) -> None:
    batch, _ = batch_of(mill, 56, 57)
    listed = json.loads(run("list", "--batch", batch, "--name", "PICTURE-1", "--recipe", "gray", "--json").out)
    assert [item["name"] for item in listed["images"]] == ["picture-1.jpg"]
    assert json.loads(run("list", "--batch", batch, "--since", "2100-01-01", "--json").out)["images"] == []
    assert run("list", "--since", "yesterday").code == 1
