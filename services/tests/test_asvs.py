"""The sheet of the security standard is whole, and names no test that does not exist."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SHEET = (REPOSITORY / "docs/asvs.md").read_text("utf-8")
STATES = {"met", "partly", "not met", "installer", "–"}
# How many requirements of level 1 and 2 each section of version 5.0.0 has; they are the first ones of each.
SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4,
    "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5,
    "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4,
    "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1,
    "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3,
    "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4,
    "17.3": 2,
}  # fmt: skip
REQUIREMENTS = [f"{section}.{number + 1}" for section, count in SECTIONS.items() for number in range(count)]


def rows() -> list[list[str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in SHEET.splitlines() if line[:1] == "|"]
    return cells[2:]


def named(text: str) -> list[str]:
    """`1.2.6–1.2.8` and `3.4.4, 3.4.5` one by one."""
    found: list[str] = []
    for part in text.split(", "):
        first, _, last = part.partition("–")
        found += REQUIREMENTS[REQUIREMENTS.index(first) : REQUIREMENTS.index(last or first) + 1]
    return found


def test_every_requirement_has_its_line_and_its_state() -> None:
    told = [requirement for number, *_ in rows() for requirement in named(number)]
    assert sorted(told) == sorted(REQUIREMENTS)
    assert {state for _, _, state, _ in rows()} <= STATES


def test_every_test_that_the_sheet_names_exists() -> None:
    folders = ("services/tests", "operator/tests", "e2e/tests")
    files = [file for folder in folders for file in (REPOSITORY / folder).rglob("test_*.py")]
    there = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)}
    wanted = set(re.findall(r"`(test_\w+)`", SHEET))
    assert len(wanted) > 80
    assert wanted - there == set()
