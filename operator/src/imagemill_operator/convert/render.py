"""Manifests as text, each below its notes."""

import re
import textwrap
from collections.abc import Mapping
from typing import Any

import yaml

from imagemill_operator.convert.model import Conversion, Converted, Note

COLUMNS, LONGEST_LINE = 100, 1000
"""Of comments, and of values, which are not folded."""
HARMLESS = re.compile(r"[A-Za-z][A-Za-z0-9./-]*[A-Za-z0-9]")


class _Dumper(yaml.SafeDumper):
    """Writes no anchors, and quotes what another reader of YAML could take for a number, a truth or a date."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 the signature is PyYAML's
        """Repeat what is repeated."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if HARMLESS.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def render(conversion: Conversion) -> str:
    """Return the WorkerPools as YAML; what became none is told in a comment."""
    return "---\n".join(_rendered(item) for item in conversion.items)


def note_line(note: Note) -> str:
    """One line about a note."""
    return f"{printable(note.source)}: {'NOT CONVERTED: ' if note.is_lost else ''}{printable(note.text)}"


def _rendered(item: Converted) -> str:
    head = item.source if item.pool is not None else f"{item.source} (no pool)"
    lines = [f"# {printable(head)}", *(line for note in item.notes for line in _comment(note))]
    return "\n".join(lines) + "\n" + ("" if item.pool is None else dumped(item.pool))


def dumped(pool: Mapping[str, Any]) -> str:
    """Return one manifest as YAML."""
    return yaml.dump(dict(pool), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=LONGEST_LINE)


def _comment(note: Note) -> list[str]:
    text = f"{'NOT CONVERTED: ' if note.is_lost else ''}{printable(note.text)}"
    return textwrap.wrap(text, COLUMNS, initial_indent="# - ", subsequent_indent="#   ", break_on_hyphens=False)


def printable(text: str) -> str:
    """A line that ends a comment, or moves a terminal's cursor, must not come out of a manifest."""
    return "".join(character if character.isprintable() else " " for character in text)
