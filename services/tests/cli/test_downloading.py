"""The files that `imagemill download` writes."""

from pathlib import Path
from typing import Any

import pytest

from imagemill.cli.downloading import targets


def image(name: str, number: int) -> dict[str, Any]:
    info = {"sha256": f"{number:064}", "content_type": "image/png"}
    return {"id": f"{number:036}", "name": name, "recipe": "gray", "original": info, "result": info}


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (["trip/con.a.jpg"], ["_con.a-gray.png"]),
        (["a:b.jpg", "a?b.jpg"], ["a_b-gray.png", "a_b-000000000001.png"]),
    ],
)
def test_files_can_be_written_everywhere_and_none_over_another(names: list[str], written: list[str]) -> None:
    found = targets([image(name, number) for number, name in enumerate(names)], Path("to"), original=False)
    assert [wanted.target.name.replace("-gray-", "-") for wanted in found] == written
