"""What the API server would say about a WorkerPool: the CRD's schema, and its rules in Python."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.cluster.test_crd import SCHEMA

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": Mapping,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def violations(pool: Any) -> list[str]:
    """List what the API server would refuse the pool for."""
    found = list(_violations(SCHEMA, pool, ""))
    return found or [*_rules(pool["spec"]), *_names(pool["metadata"])]


def _violations(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, TYPES[schema["type"]]) or (isinstance(value, bool) and schema["type"] != "boolean"):
        yield f"{path} is no {schema['type']}: {value!r}"
        return
    checks = {"object": _object, "array": _array, "string": _string, "integer": _number, "number": _number}
    yield from checks.get(schema["type"], _nothing)(schema, value, path)
    if value not in schema.get("enum", [value]):
        yield f"{path} is none of {schema['enum']}: {value!r}"


def _nothing(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    return iter(())


def _object(schema: Mapping[str, Any], value: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from (f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    if "properties" not in schema:
        return
    for name, inner in value.items():
        if name in schema["properties"]:
            yield from _violations(schema["properties"][name], inner, f"{path}.{name}")
        else:
            yield f"{path}.{name} is unknown"


def _array(schema: Mapping[str, Any], value: list[Any], path: str) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{path} has {len(value)} items"
    if schema.get("x-kubernetes-list-type") == "set" and len(set(value)) < len(value):
        yield f"{path} repeats an item"
    for index, inner in enumerate(value):
        yield from _violations(schema["items"], inner, f"{path}[{index}]")


def _string(schema: Mapping[str, Any], value: str, path: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{path} has {len(value)} characters"
    if not re.search(schema.get("pattern", ""), value):
        yield f"{path} does not match {schema['pattern']}"


def _number(schema: Mapping[str, Any], value: float, path: str) -> Iterator[str]:
    least, most = schema.get("minimum", value), schema.get("maximum", value)
    if not least <= value <= most or (schema.get("exclusiveMinimum") and value == least):
        yield f"{path} is out of bounds: {value}"
    if schema.get("format") == "int32" and abs(value) >= 2**31:
        yield f"{path} is no int32: {value}"


def _rules(spec: Mapping[str, Any]) -> Iterator[str]:
    if spec["minReplicas"] > spec["maxReplicas"]:
        yield "minReplicas is greater than maxReplicas"
    if ("maxWaitSeconds" in spec) == ("backlogPerReplica" in spec):
        yield "not exactly one objective"
    if any(one["minReplicas"] > spec["maxReplicas"] for one in spec.get("schedules", ())):
        yield "minReplicas of a schedule is greater than maxReplicas"
    if any(one["start"] == one["end"] for one in spec.get("schedules", ())):
        yield "a schedule starts when it ends"
    if "fallback" in spec and spec["fallback"]["replicas"] > spec["maxReplicas"]:
        yield "fallback.replicas is greater than maxReplicas"


def _names(meta: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", meta["name"]):
        yield f"metadata.name is no name: {meta['name']!r}"
    if not all(isinstance(value, str) for value in meta.get("annotations", {}).values()):
        yield "an annotation is no text"
