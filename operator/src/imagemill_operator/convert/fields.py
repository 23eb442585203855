"""Reads fields of a manifest. What has the wrong type is refused in a sentence that names the field."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagemill_operator.convert.model import Refused

OBJECT_NAME, LONGEST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"), 253
TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one object, and its path in the manifest: ``spec.triggers[0].metadata``."""

    path: str
    values: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.values.get(name) is not None

    def object(self, name: str) -> "Fields":
        """Return an object; a missing one has no fields."""
        return self._object(self._path(name), self.values.get(name))

    def objects(self, name: str) -> list["Fields"]:
        """Return a list of objects, empty when it is missing."""
        found = self.values.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            raise Refused(f"{self._path(name)} is {shown(found)}: it must be a list.")
        return [self._object(f"{self._path(name)}[{index}]", value) for index, value in enumerate(found)]

    def text(self, name: str, default: str = "") -> str:
        """Return a text; numbers and true or false, which YAML knows and KEDA does not, count as they are written."""
        found = self.values.get(name)
        if found is None:
            return default
        if isinstance(found, Mapping | list):
            raise Refused(f"{self._path(name)} is {shown(found)}: it must be a text.")
        return str(found).lower() if isinstance(found, bool) else str(found).strip() or default

    def object_name(self, name: str) -> str:
        """Return the name of a Kubernetes object, which is also safe in a command line; empty when it is missing."""
        found = self.text(name)
        if found and not (OBJECT_NAME.fullmatch(found) and len(found) <= LONGEST_NAME):
            raise Refused(f"{self._path(name)} is {shown(found)}: that is no name of an object in Kubernetes.")
        return found

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a number, also one that is written as a text, as KEDA wants it in the metadata of triggers."""
        text = self.text(name)
        if not text:
            return default
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise Refused(f"{self._path(name)} is {shown(text)}: it must be a number.")
        return found

    def count(self, name: str, default: int) -> int:
        """Return a whole number that is not negative."""
        found = self.number(name, default)
        if found < 0 or found != int(found):
            raise Refused(f"{self._path(name)} is {found:g}: it must be a whole number from 0 on.")
        return int(found)

    def flag(self, name: str) -> bool:
        """Return whether a switch is on, as KEDA reads it."""
        text = self.text(name)
        if text and text not in TRUE | FALSE:
            raise Refused(f"{self._path(name)} is {shown(text)}: it must be true or false.")
        return text in TRUE

    def _path(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _object(self, path: str, value: Any) -> "Fields":
        if value is None:
            return Fields(path, {})
        if not isinstance(value, Mapping):
            raise Refused(f"{path} is {shown(value)}: it must have fields.")
        return Fields(path, value)


def shown(value: Any) -> str:
    """Return a value as a sentence may show it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
