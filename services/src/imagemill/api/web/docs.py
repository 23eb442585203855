"""The OpenAPI document as a page: operations with their curl lines, and schemas."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_EXAMPLES = {"image_id": "ID", "batch": "NAME"}


@dataclass(frozen=True)
class Block:
    """A piece of a description: `text`, `code`, `list` or `table`."""

    kind: str
    lines: Sequence[str]

    @property
    def cells(self) -> list[list[str]]:
        """A table's rows, without the rule below its head."""
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in self.lines]
        return [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]


@dataclass(frozen=True)
class Operation:
    """A method of a path."""

    method: str
    path: str
    anchor: str
    summary: str
    blocks: Sequence[Block]
    parameters: Sequence[Json]
    bodies: Mapping[str, Json]
    responses: Mapping[str, Json]
    curl: str


def blocks(text: str) -> list[Block]:
    """The few forms which our own descriptions use."""
    parts = [part for part in re.split(r"\n\s*\n", text.strip("\n")) if part.strip()]
    return [_block(part.splitlines()) for part in parts]


def _block(lines: list[str]) -> Block:
    if all(line.startswith("    ") for line in lines):
        return Block("code", [line[4:] for line in lines])
    if lines[0].startswith("- "):
        return Block("list", [item.replace("\n", " ") for item in re.split(r"(?:^|\n)- ", "\n".join(lines))[1:]])
    if lines[0].startswith("|"):
        return Block("table", lines)
    return Block("text", [" ".join(lines)])


def spans(text: str) -> Iterator[tuple[bool, str]]:
    """Alternating plain text and code of a line."""
    for index, part in enumerate(text.split("`")):
        if part:
            yield index % 2 == 1, part


def operations(document: Json, origin: str) -> list[Operation]:
    """Every operation, in the document's order."""
    return [
        _operation(path, method, item, found, origin)
        for path, item in document["paths"].items()
        for method, found in item.items()
        if method in _METHODS
    ]


def _operation(path: str, method: str, item: Json, found: Json, origin: str) -> Operation:
    parameters = [*item.get("parameters", []), *found.get("parameters", [])]
    bodies = found.get("requestBody", {}).get("content", {})
    return Operation(
        method=method.upper(), path=path, anchor=found.get("operationId", f"{method}-{path}"),
        summary=found.get("summary", ""), blocks=blocks(found.get("description", "")), parameters=parameters,
        bodies=bodies, responses=found.get("responses", {}), curl=curl(method, path, parameters, bodies, origin),
    )  # fmt: skip


def curl(method: str, path: str, parameters: Sequence[Json], bodies: Json, origin: str) -> str:
    """A line to paste; what must be filled in stands in capitals."""
    address = origin + re.sub(r"\{(\w+)\}", lambda match: _EXAMPLES.get(match[1], match[1].upper()), path)
    required = [item["name"] for item in parameters if item.get("in") == "query" and item.get("required")]
    if required:
        address += "?" + "&".join(f"{name}={name.upper()}" for name in required)
    quoted = f"'{address}'" if "?" in address else address
    return " ".join(part for part in ("curl", _options(method, bodies), quoted) if part)


def _options(method: str, bodies: Json) -> str:
    if method == "get":
        return ""
    if "multipart/form-data" in bodies:
        return "-F file=@photo.jpg"
    if "application/json" in bodies:
        return f"-X {method.upper()} --json @body.json"
    return "-H 'Content-Type: image/jpeg' --data-binary @photo.jpg" if bodies else f"-X {method.upper()}"


def schema_words(schema: Json) -> str:
    """A schema in a few words: `integer, 0 to 9`, `one of stored, failed`, `list of Image`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return f"always {json.dumps(schema['const'])}"
    for joined in ("oneOf", "anyOf", "allOf"):
        if joined in schema:
            return " or ".join(schema_words(part) for part in schema[joined])
    if schema.get("type") == "array":
        return f"list of {schema_words(schema.get('items', {}))}"
    return ", ".join([_type_words(schema), *_bounds(schema)])


def _type_words(schema: Json) -> str:
    kinds = schema.get("type", "anything")
    names = [kinds] if isinstance(kinds, str) else kinds
    named = schema.get("format")
    return " or ".join(names) + (f" ({named})" if named else "")


def _bounds(schema: Json) -> list[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    found = []
    if low is not None and high is not None:
        found.append(f"{low} to {high}")
    elif low is not None or high is not None:
        found.append(f"at least {low}" if high is None else f"at most {high}")
    if "maxLength" in schema:
        found.append(f"at most {schema['maxLength']} characters")
    if "default" in schema:
        found.append(f"default {json.dumps(schema['default'])}")
    return found


def example_text(content: Json) -> str:
    """The example of a content, as it would be sent."""
    example = content.get("example")
    if example is None:
        example = next((item.get("value") for item in content.get("examples", {}).values()), None)
    if example is None:
        return ""
    return example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
