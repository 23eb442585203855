"""Read recipes from YAML: the built-in ones, then those of a user's file, which add to them or replace them."""

from __future__ import annotations

import functools
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from imagemill.recipes.model import Recipe, RecipeError, Step
from imagemill.recipes.parameters import ENCODERS, KINDS, TRANSFORMS, Kind, allowed

MAX_STEPS = 20
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_KEYS = {"description", "steps"}


def load(path: Path | None = None) -> dict[str, Recipe]:
    """All recipes by name. Raises RecipeError, whose text is meant for the person who wrote the file."""
    given = {} if path is None else _parse(_read(path), str(path))
    return _builtin() | given


@functools.cache
def _builtin() -> dict[str, Recipe]:
    return _parse(files("imagemill.recipes").joinpath("builtin.yaml").read_text("utf-8"), "the built-in recipes")


def names(path: Path | None = None) -> list[str]:
    """The names of all recipes, in order. Raises RecipeError."""
    return sorted(load(path))


def from_canonical(name: str, canonical: str) -> Recipe:
    """The recipe whose `canonical` this is. Raises RecipeError when this version of the program cannot do it."""
    try:
        steps = json.loads(canonical)
    except ValueError as error:
        raise RecipeError(f'Recipe "{name}": its steps are not JSON: {error}') from error
    return _recipe(name, {"steps": steps})


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe file {path} cannot be read: {error}.") from error


def _parse(text: str, source: str) -> dict[str, Recipe]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"{source} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"{source} must map recipe names to recipes, but holds {_shown(content)}.")
    try:
        return {name: _recipe(name, body) for name, body in content.items()}
    except RecipeError as error:
        raise RecipeError(f"{source}: {error}") from error


def _recipe(name: object, body: object) -> Recipe:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        # The name becomes a word of a routing key, in which a dot would be a border.
        raise RecipeError(f"Recipe {_shown(name)}: a name is up to 64 of a-z, 0-9, - and _, such as small-gray.")
    where = f'Recipe "{name}"'
    if not isinstance(body, dict) or not set(body) <= _KEYS or "steps" not in body:
        raise RecipeError(f"{where}: it must have the key steps and may have description, but is {_shown(body)}.")
    description = body.get("description") or ""
    if not isinstance(description, str):
        raise RecipeError(f"{where}: description must be a text, but is {_shown(description)}.")
    return Recipe(name, description, _steps(where, body["steps"]))


def _steps(where: str, items: object) -> tuple[Step, ...]:
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_STEPS:
        raise RecipeError(f"{where}: steps must be a list of 1 to {MAX_STEPS} steps, but is {_shown(items)}.")
    steps = tuple(_step(f"{where}, step {number}", item) for number, item in enumerate(items, 1))
    for number, step in enumerate(steps, 1):
        last = number == len(steps)
        if last != (step.name in ENCODERS):
            rule = f"the last step must be one of {_listed(ENCODERS)}" if last else "only the last step may encode"
            raise RecipeError(f'{where}, step {number} "{step.name}": {rule}.')
    return steps


def _step(where: str, item: object) -> Step:
    if isinstance(item, str):
        item = {item: {}}
    if not isinstance(item, dict) or len(item) != 1:
        raise RecipeError(
            f"{where}: a step is one name with its parameters, such as {{fit: {{width: 256}}}}, "
            f"but this is {_shown(item)}."
        )
    ((name, params),) = item.items()
    if name not in KINDS:
        raise RecipeError(
            f"{where}: there is no step {_shown(name)}. "
            f"There are {_listed(TRANSFORMS)}; and, to end with, {_listed(ENCODERS)}."
        )
    return Step(name, _params(f'{where} "{name}"', KINDS[name], {} if params is None else params))


def _params(where: str, kind: Kind, params: object) -> Any:
    if not isinstance(params, dict):
        raise RecipeError(
            f"{where}: parameters are keys with values, but this is {_shown(params)}. Allowed: {allowed(kind.params)}."
        )
    try:
        return kind.params.model_validate({str(key): value for key, value in params.items()})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(map(str, first["loc"][:1]))
        value = _shown(first["input"])
        reason = "no such key" if first["type"] == "extra_forbidden" else first["msg"]
        raise RecipeError(
            f"{where}: {key} = {value} is not possible ({reason}). Allowed: {allowed(kind.params)}."
        ) from None


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."
