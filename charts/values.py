#!/usr/bin/env python3
"""Makes values.yaml and the table in the chart's README from values.schema.json: `--write` writes, else it compares."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHART = Path(__file__).parent / "imagemill"
BEGIN, END = "<!-- values: made by charts/values.py -->", "<!-- end of values -->"
Schema = dict[str, Any]


def load() -> Schema:
    """The schema."""
    schema: Schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
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
    schema = load()
    readme_file = CHART / "README.md"
    return {CHART / "values.yaml": values_yaml(schema), readme_file: readme(schema, readme_file.read_text("utf-8"))}


def main(arguments: list[str]) -> int:
    """Writes, or tells which files are out of date."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text("utf-8") != text]
    if arguments == ["--write"]:
        for path in stale:
            path.write_text(files()[path], "utf-8")
        return 0
    for path in stale:
        print(f"{path} does not say what values.schema.json says; run: python charts/values.py --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
