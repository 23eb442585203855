"""One word, one meaning: no two classes share a name, and words that were given up do not come back."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "services" / "src", ROOT / "operator" / "src"]
GIVEN_UP = re.compile(r"\b(desk|teller|sights?|alertbook|freed|workshop)\b", re.IGNORECASE)
TEXT = {".py", ".html", ".css", ".js", ".yaml"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.parent.name)
def test_no_two_classes_share_a_name(source: Path) -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in source.rglob("*.py")]
    names = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert len(names) > 30
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.parent.name)
def test_words_that_were_given_up_stay_away(source: Path) -> None:
    files = [path for path in source.rglob("*") if path.suffix in TEXT]
    assert len(files) > 30
    found = [f"{path.name}: {line.strip()}" for path in files for line in path.read_text("utf-8").splitlines()
             if GIVEN_UP.search(line)]  # fmt: skip
    assert found == []


# Correct, and foreign: a reader stumbles. What stands here was on a page once.
STUMBLED_OVER = (
    "Make it", "Leave it", "Its way", ">Do<", "Go on", "more than one frames", "All ended", "taken are", "Read it<",
    "the terms of the decision", "begins so", "begin so", "None here", "looked at for one page", "at hand",
)  # fmt: skip
SEEN = sorted(
    path
    for folder in ("api/templates", "api/static/js", "admission")
    for path in (Path(__file__).parents[1] / "src/imagemill" / folder).rglob("*.*")
    if path.suffix in {".html", ".js", ".py"}
)


@pytest.mark.parametrize("seen", SEEN, ids=lambda path: path.name)
def test_what_people_read_is_what_they_would_say(seen: Path) -> None:
    text = re.sub(r"^\s*(//|#|\*|/\*\*).*$", "", seen.read_text("utf-8"), flags=re.MULTILINE)
    assert [words for words in STUMBLED_OVER if words in text] == []
