"""services/README.md, the map, names what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "services" / "README.md").read_text("utf-8")
PLACES = ("", "services", "services/src/imagemill", "operator/src/imagemill_operator")
NAMED = sorted(set(re.findall(r"`([\w./-]+\.(?:py|html|yaml|json|tpl|md|toml))(?:: (\w+))?`", TEXT)))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_file_of_the_map_is_there_and_defines_what_it_says(path: str, name: str) -> None:
    found = [ROOT / place / path for place in PLACES if (ROOT / place / path).is_file()]
    assert found, f"services/README.md names {path}, which is not there"
    if name:
        assert any(re.search(rf"^\s*(class|def) {name}\b", file.read_text("utf-8"), re.MULTILINE) for file in found)


def test_the_map_names_every_package() -> None:
    packages = {path.parent.name for path in (ROOT / "services/src/imagemill").glob("*/__init__.py")}
    assert packages - set(re.findall(r"`(\w+)`", TEXT)) == set()
