"""The CRD says what the operator reads and writes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tests.cluster import bodies

from imagemill_operator.cron import EXPRESSION
from imagemill_operator.policy import Backlog, Memory, Observation, decide
from imagemill_operator.pools import parse_pool
from imagemill_operator.status import decided_status, state_of

CRD = yaml.safe_load((Path(__file__).parents[2] / "crds" / "workerpools.yaml").read_text())
VERSION = CRD["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]
KEYS = {
    *("type", "description", "properties", "required", "items", "default", "enum", "format", "nullable", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties"),
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-preserve-unknown-fields"),
    *("additionalProperties", "x-kubernetes-validations"),
}


def fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from fields(inner, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")


def test_every_field_is_well_formed() -> None:
    assert {path: set(schema) - KEYS for path, schema in fields(SCHEMA) if set(schema) - KEYS} == {}


def test_kubectl_explain_has_something_to_say_about_every_field_people_write() -> None:
    spec = SCHEMA["properties"]["spec"]
    assert [path for path, schema in fields(spec) if "description" not in schema and not path.endswith("[]")] == []


def test_defaults_are_those_of_the_operator() -> None:
    properties = SCHEMA["properties"]["spec"]["properties"]
    written = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    assert parse_pool(bodies.pool(**written)).spec == parse_pool(bodies.pool()).spec


def test_cron_expressions_look_the_same_to_the_api_server_and_to_the_operator() -> None:
    fields = SCHEMA["properties"]["spec"]["properties"]["schedules"]["items"]["properties"]
    assert {fields[name]["pattern"] for name in ("start", "end")} == {f"^{EXPRESSION.pattern}$"}


def test_every_field_of_the_status_is_declared() -> None:
    pool = parse_pool(bodies.pool())
    assert pool.spec is not None
    seen = Observation(0.0, Backlog(3), 1, 1)
    decision = decide(seen, pool.spec, Memory())
    written = decided_status(pool, state_of(pool, seen, pool.spec, decision), pool.spec, decision.memory)
    assert set(written) - set(SCHEMA["properties"]["status"]["properties"]) == set()


def test_status_is_a_subresource_and_columns_point_at_declared_fields() -> None:
    assert VERSION["subresources"] == {"status": {}}
    known = {path for path, _ in fields(SCHEMA)} | {".metadata.creationTimestamp"}
    paths = [column["jsonPath"] for column in VERSION["additionalPrinterColumns"]]
    assert [path for path in paths if "?" not in path and path not in known] == []
