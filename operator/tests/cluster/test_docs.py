"""What docs/operator shows is what the API server takes and Python understands."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.convert.crd_schema import violations

from imagemill_operator.pools import parse_pool

DOCS = Path(__file__).parents[3] / "docs" / "operator"
PAGES = sorted(DOCS.glob("*.md"))


def blocks(language: str) -> list[Any]:
    found = [
        (path.name, text)
        for path in PAGES
        for text in re.findall(rf"```{language}\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
    ]
    return [pytest.param(text, id=f"{name}-{index}") for index, (name, text) in enumerate(found)]


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_pool_is_one_that_the_api_server_takes(text: str) -> None:
    body = yaml.safe_load(text)
    if body["kind"] == "WorkerPool":
        assert violations({**body, "spec": {"minReplicas": 0, **body["spec"]}}) == []
        pool = parse_pool({**body, "metadata": {"uid": "", **body["metadata"]}})
        assert (pool.error, pool.schedule_errors) == (None, ())


@pytest.mark.parametrize("text", blocks("python"))
def test_every_piece_of_python_can_be_read(text: str) -> None:
    ast.parse(text)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_to_what_is_there(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+\.md)(?:#([\w-]+))?\)", path.read_text("utf-8"))
    for target, anchor in links:
        file = (path.parent / target).resolve()
        assert file.is_file(), target
        headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, f"{target}#{anchor}"
