"""Replays of pictures that were posted with a source, and what is said when there is nothing to replay."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill
from mills import running_mill
from motion.scenes import WALK_FRAMES
from pictures import photo_jpeg

FRAMES = WALK_FRAMES[:30]


@pytest.fixture(scope="module")
def porch(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    """A walk was posted with the source `porch`, whose settings notice only what is large."""
    with running_mill(rabbit, couch, tmp_path_factory.mktemp("porch")) as mill:
        for camera in ({"id": "porch", "motion": {"min_area": 0.2}}, {"id": "cellar"}, {"id": "yard", "address": "x"}):
            assert mill.post("/api/v1/cameras", json=camera).status_code in (201, 422)
        for number, frame in enumerate(FRAMES):
            files = [("file", (f"{number}.jpg", frame.data, "image/jpeg"))]
            # Two recipes make two jobs of one picture, which was one frame.
            posted = {"source": "porch", "recipe": ["gray", "thumbnail"], "batch": "walk"}
            assert mill.post("/api/v1/images", files=files, data=posted).status_code == 202
        mill.upload(photo_jpeg(), source="elsewhere")
        yield mill


def replay(mill: Mill, *arguments: str, code: int = 0) -> tuple[str, str]:
    command = [sys.executable, "-m", "imagemill.cli", "--api", mill.url, "replay", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == code, ended.stderr
    return ended.stdout, " ".join(re.sub("[│╭╮╰╯─]", " ", ended.stderr).split())


def test_pictures_are_listed_by_their_source(porch: Mill) -> None:
    first = porch.get("/api/v1/images", params={"source": "porch", "limit": 7}).json()
    assert [image["source"] for image in first["images"]] == ["porch"] * 7
    names, page = [], {"next": None, "images": []}
    while True:
        names += [image["name"] for image in page["images"]]
        if names and page["next"] is None:
            break
        query = {"source": "porch", "limit": 25, "after": page["next"], "batch": "walk"}
        page = porch.get("/api/v1/images", params=query).json()
    assert sorted(names) == sorted([frame for n in range(len(FRAMES)) for frame in [f"{n}.jpg"] * 2])
    assert porch.get("/api/v1/images", params={"source": "nobody"}).json() == {"images": [], "next": None}


def test_what_would_come_is_told_of_posted_pictures(porch: Mill) -> None:
    said, _ = replay(porch, "--camera", "porch", "--set", "min_area=0.001")
    lines = said.splitlines()
    assert re.match(rf"porch: {len(FRAMES)} posted pictures from .* UTC, min_area 0.2 → 0.001$", lines[0])
    assert re.match(r"\+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d motion for .*: would come$", lines[1])
    assert lines[2] == "0 kept, 0 gone, 1 new, 0 of another class"


def test_what_would_go_is_told_of_posted_pictures(porch: Mill) -> None:
    camera = porch.get("/api/v1/cameras/porch").json()
    found = porch.http.put(f"{porch.url}/api/v1/cameras/porch", json=camera | {"motion": {}}, timeout=30)
    assert found.status_code == 200
    said = json.loads(replay(porch, "--camera", "porch", "--set", "min_area=0.2", "--json")[0])
    assert (len(said["kept"]), len(said["gone"]), len(said["come"])) == (0, 1, 0)
    assert (said["of"], said["pictures"], said["tells_what_would_come"]) == ("posted", len(FRAMES), True)
    porch.http.put(f"{porch.url}/api/v1/cameras/porch", json=found.json() | {"motion": camera["motion"]}, timeout=30)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--camera", "porhc", "--set", "min_area=0.1"], 1, "There is no camera 'porhc'"),
        (["--camera", "porhc", "--set", "min_area=0.1"], 1, "Did you mean porch?"),
        (["--camera", "cellar", "--set", "min_area=0.1"], 1, "Nothing is stored of cellar yet"),
        (["--camera", "porch", "--set", "sensitivty=70"], 2, "(did you mean sensitivity?)"),
        (["--camera", "porch", "--set", "sensitivity"], 2, "is not of the form name=value"),
        (["--camera", "porch", "--set", "sensitivity=700"], 2, "must be from 0 to 100"),
        (["--camera", "porch", "--set", "min_area=0.2"], 2, "is as it is set now"),
        (["--camera", "porch", "--set", 'alert_when={"people": true}'], 2, "does not look for people"),
        (["--camera", "porch", "--set", "min_area=0.1", "--since", "lately"], 2, "write it like 2h, 3d or 2026-11-20"),
        (["--set", "min_area=0.1"], 2, "Name a --camera, or a --file."),
        (["--file", "/nowhere.avi", "--set", "min_area=0.1"], 1, "does not exist"),
    ],
)  # fmt: skip
def test_what_cannot_be_replayed_is_said_in_a_sentence(
    porch: Mill, arguments: list[str], code: int, words: str
) -> None:
    assert words in replay(porch, *arguments, code=code)[1]
