"""Components which are made of the models themselves: whoever adds a member to a model has described it."""

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Schema = dict[str, Any]


def components(*models: type[BaseModel]) -> dict[str, Schema]:
    """Describe what is given, each model with those it is made of, by their names."""
    return _described("validation", models)


def answers(*models: type[BaseModel]) -> dict[str, Schema]:
    """Describe what is answered: a member is always there, so that nobody asks what its default would be."""
    found: dict[str, Schema] = _without_defaults(_described("serialization", models))
    return found


def _described(mode: Literal["validation", "serialization"], models: tuple[type[BaseModel], ...]) -> dict[str, Schema]:
    modes = [(model, mode) for model in models]
    _, found = models_json_schema(modes, ref_template="#/components/schemas/{model}")
    described: dict[str, Schema] = _plain(found["$defs"])
    return described


def _plain(node: Any) -> Any:
    """Without pydantic's titles, and open: later versions may add members."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    left_out = [name for name in ("title", "additionalProperties") if isinstance(node.get(name), str | bool)]
    return {name: _plain(value) for name, value in node.items() if name not in left_out}


def _without_defaults(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_defaults(item) for item in node]
    if not isinstance(node, dict):
        return node
    members = {name: _without_defaults(schema) for name, schema in node.get("properties", {}).items()}
    rest = {name: _without_defaults(value) for name, value in node.items() if name not in ("default", "properties")}
    return rest | ({"properties": members} if members else {})
