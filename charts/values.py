#!/usr/bin/env python3
"""Makes what charts have in two places: `--write` writes, else it compares.

Of each chart values.yaml and the table in the README follow from values.schema.json; the CustomResourceDefinition is
the operator's.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHARTS = tuple(Path(__file__).parent / name for name in ("imagemill", "workerpool-operator"))
CRD = Path(__file__).parents[1] / "operator" / "crds" / "workerpools.yaml"
CRD_COPIES = (CHARTS[0] / "crds" / "workerpools.yaml", CHARTS[1] / "files" / "workerpools.yaml")
BEGIN, END = "<!-- values: made by charts/values.py -->", "<!-- end of values -->"
Schema = dict[str, Any]


def load(chart: Path) -> Schema:
    """A chart's schema."""
    schema: Schema = json.loads((chart / "values.schema.json").read_text("utf-8"))
    return schema


def is_section(schema: Schema) -> bool:
    """Has it keys of its own, rather than a default?"""
    return "properties" in schema and "default" not in schema


def own_keys(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Keys with a default here; a $ref repeats a key of `defaults` or `workers`, where it is described."""
    return ((key, value) for key, value in schema["properties"].items() if "$ref" not in value)


def defaults(schema: Schema) -> Any:
    """The values which the schema describes."""
    if is_section(schema):
        return {key: defaults(value) for key, value in own_keys(schema)}
    return schema["default"]


def values_yaml(schema: Schema) -> str:
    """values.yaml, with the descriptions as comments."""
    head = "# Made from values.schema.json by charts/values.py; the table in README.md says the same.\n"
    return head + "\n".join(_lines(schema, 0)) + "\n"


def _lines(schema: Schema, depth: int) -> Iterator[str]:
    pad = "  " * depth
    for key, value in own_keys(schema):
        if depth == 0:
            yield ""
        yield f"{pad}# {value['description']}"
        if is_section(value):
            yield f"{pad}{key}:"
            yield from _lines(value, depth + 1)
        elif _nested(value["default"]):
            yield f"{pad}{key}:"
            yield from (f"{pad}  {name}: {_flow(item)}" for name, item in value["default"].items())
        else:
            yield f"{pad}{key}: {_flow(value['default'])}"


def _nested(default: Any) -> bool:
    return isinstance(default, dict) and any(isinstance(item, dict) for item in default.values())


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def table(schema: Schema) -> str:
    """The README's table."""
    rows = [f"| `{path}` | {text} | `{_flow(default)}` |" for path, text, default in _rows(schema, "")]
    return "\n".join(["| Key | What it is | Default |", "| --- | --- | --- |", *rows])


def _rows(schema: Schema, prefix: str) -> Iterator[tuple[str, str, Any]]:
    for key, value in own_keys(schema):
        if is_section(value):
            yield from _rows(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value["description"].replace("|", "\\|"), value["default"]


def readme(schema: Schema, old: str) -> str:
    """README.md with today's table."""
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(schema)}\n{END}{after}"


def files() -> dict[Path, str]:
    """What should be in the files."""
    made = {path: text for chart in CHARTS for path, text in _files_of(chart).items()}
    return made | dict.fromkeys(CRD_COPIES, CRD.read_text("utf-8"))


def _files_of(chart: Path) -> dict[Path, str]:
    schema, readme_file = load(chart), chart / "README.md"
    return {chart / "values.yaml": values_yaml(schema), readme_file: readme(schema, readme_file.read_text("utf-8"))}


def main(arguments: list[str]) -> int:
    """Writes, or tells which files are out of date."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text("utf-8") != text]
    if arguments == ["--write"]:
        for path in stale:
            path.write_text(files()[path], "utf-8")
        return 0
    for path in stale:
        print(f"{path} does not say what it is made from; run: python charts/values.py --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
