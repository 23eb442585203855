"""KEDA's manifests as people write them."""

from typing import Any

from imagemill_operator.convert import Conversion, Hints, convert

Manifest = dict[str, Any]


def trigger(queue: str = "resize", **fields: Any) -> Manifest:
    """A rabbitmq trigger; what is no field of the trigger itself is metadata."""
    own = {name: fields.pop(name) for name in ("name", "metricType", "authenticationRef") if name in fields}
    base = {"queueName": queue, "mode": "QueueLength", "value": "20", "host": "http://u:secret@rabbit:15672/"}
    metadata = {name: value for name, value in {**base, **fields}.items() if value is not None}
    return {"type": "rabbitmq", "metadata": metadata, **own}


def scaled_object(*triggers: Manifest, annotations: Manifest | None = None, **spec: Any) -> Manifest:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "resize", "namespace": "jobs", "annotations": annotations or {}},
        "spec": {"scaleTargetRef": {"name": "worker"}, "triggers": list(triggers or [trigger()]), **spec},
    }


def authentication(kind: str = "TriggerAuthentication", **spec: Any) -> Manifest:
    meta = {"name": "conn", **({"namespace": "jobs"} if kind == "TriggerAuthentication" else {})}
    return {"apiVersion": "keda.sh/v1alpha1", "kind": kind, "metadata": meta, "spec": spec}


def pool_spec(conversion: Conversion) -> Manifest:
    (pool,) = conversion.pools
    return dict(pool["spec"])


def converted(*triggers: Manifest, hints: Hints | None = None, **fields: Any) -> Conversion:
    return convert([scaled_object(*triggers, **fields)], hints)


def lost(conversion: Conversion) -> str:
    return "\n".join(note.text for note in conversion.notes if note.is_lost)


def noted(conversion: Conversion) -> str:
    return "\n".join(note.text for note in conversion.notes if not note.is_lost)
