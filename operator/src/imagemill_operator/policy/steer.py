"""What a person may change of a pool while it runs: pause it, and its bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from imagemill_operator.policy.model import Spec

FIELDS = ("paused", "min_replicas", "max_replicas")


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked for; None leaves it as it is."""

    paused: bool | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None

    def to_dict(self) -> dict[str, bool | int]:
        """Return what is asked for, as JSON values."""
        values = {name: getattr(self, name) for name in FIELDS}
        return {name: value for name, value in values.items() if value is not None}


def parse_change(body: Any) -> Change:
    """Read a change; raises ValueError with a sentence."""
    if not isinstance(body, Mapping) or not body:
        raise ValueError("The body must be a JSON object with paused, min_replicas or max_replicas.")
    if unknown := [str(name)[:50] for name in body if name not in FIELDS]:
        raise ValueError(f"{unknown[0]} cannot be changed here; paused, min_replicas and max_replicas can.")
    paused = body.get("paused")
    if paused is not None and not isinstance(paused, bool):
        raise ValueError("paused must be true or false.")
    return Change(paused, _count(body, "min_replicas"), _count(body, "max_replicas"))


def _count(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31):
        raise ValueError(f"{name} must be a whole number from 0 on.")
    return value


def changed(spec: Spec, change: Change, most_replicas: int) -> Spec:
    """Return the spec with the change; raises ValueError when that is not within the bounds of who set the pool up."""
    low = spec.min_replicas if change.min_replicas is None else change.min_replicas
    high = spec.max_replicas if change.max_replicas is None else change.max_replicas
    if change.max_replicas is not None and high > most_replicas:
        raise ValueError(f"max_replicas is {high}, but here at most {most_replicas} are allowed.")
    if high < 1:
        raise ValueError("max_replicas must be at least 1; to stop scaling, pause the pool.")
    if low > high:
        raise ValueError(f"min_replicas is {low} and max_replicas is {high}: the minimum must be at most the maximum.")
    return replace(
        spec, min_replicas=low, max_replicas=high, paused=spec.paused if change.paused is None else change.paused
    )


def steered(spec: Spec) -> dict[str, bool | int]:
    """Return what can be changed, as it is."""
    return {"paused": spec.paused, "min_replicas": spec.min_replicas, "max_replicas": spec.max_replicas}
