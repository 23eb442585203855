"""From documents to WorkerPools."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from imagemill_operator.convert.authentication import note_authentication, note_brokers
from imagemill_operator.convert.documents import Document
from imagemill_operator.convert.fields import Fields
from imagemill_operator.convert.jobs import refuse_job
from imagemill_operator.convert.model import Conversion, Converted, Hints, Note, Notes, Refused
from imagemill_operator.convert.objective import activation_of, demand_of, note_other_trigger
from imagemill_operator.convert.scaling import annotations_of, bounds_of, fallback_of, note_restoring, pace_of
from imagemill_operator.convert.schedules import schedules_of
from imagemill_operator.convert.triggers import RabbitTrigger, parse_trigger

KEDA_API = "keda.sh/v1alpha1"
OLD_KEDA_API = "keda.k8s.io/v1alpha1"
AUTHENTICATIONS = ("TriggerAuthentication", "ClusterTriggerAuthentication")
KINDS = ("ScaledObject", "ScaledJob", *AUTHENTICATIONS)


class NoManifestError(ValueError):
    """There is nothing of KEDA among the documents. The message is a sentence that says what to do."""


def convert(documents: Iterable[Document], hints: Hints | None = None) -> Conversion:
    """Convert manifests of KEDA to WorkerPools in mode Advise, with notes about all that changes or has no equivalent.

    Raise NoManifestError when none of the documents is KEDA's.
    """
    documents, hints = list(documents), hints or Hints()
    known = [document for document in documents if _is_known(document)]
    if not known:
        raise NoManifestError(_nothing_found(documents))
    scaled = [_converted(document, hints) for document in known if document["kind"] not in AUTHENTICATIONS]
    wanted = {source for item in scaled for broker in item.brokers for source in broker}
    told = [_authentication(document, wanted) for document in known if document["kind"] in AUTHENTICATIONS]
    passed = [_passed_over(index, document) for index, document in enumerate(documents, 1) if not _is_known(document)]
    items = (*scaled, *told)
    return Conversion(items, (*passed, *_shared_deployments(scaled), *note_brokers(items)))


def _is_known(document: Document) -> bool:
    return document.get("apiVersion") == KEDA_API and document["kind"] in KINDS


def _nothing_found(documents: Sequence[Document]) -> str:
    if not documents:
        return "There is no document: give manifests of KEDA, in files or on standard input."
    kinds = ", ".join(sorted({f"{document.get('apiVersion')} {document['kind']}" for document in documents}))
    return f"No document is of KEDA ({KEDA_API}: {', '.join(KINDS)}). There are only: {kinds}."


def _passed_over(index: int, document: Document) -> Note:
    """Only what KEDA 1 wrote was meant to be converted."""
    what = f"Document {index}"
    kind = f"{document.get('apiVersion')} {document['kind']}"
    if document.get("apiVersion") == OLD_KEDA_API:
        return Note(what, f"{kind} is of KEDA 1: bring it to {KEDA_API} first.", is_lost=True)
    return Note(what, f"{kind} is not converted and was passed over.")


def source_of(document: Document) -> str:
    """Name a document: ``ScaledObject jobs/resize``."""
    meta = document.get("metadata")
    meta = meta if isinstance(meta, Mapping) else {}
    namespace = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{document['kind']} {namespace}{meta.get('name') or 'without name'}"


def _converted(document: Document, hints: Hints) -> Converted:
    notes = Notes(source_of(document))
    brokers: list[tuple[str, ...]] = []
    pool = None
    try:
        if document["kind"] == "ScaledJob":
            refuse_job(Fields("", document))
        pool = _pool(Fields("", document), hints, notes, brokers)
    except Refused as refusal:
        notes.lost(str(refusal))
    return Converted(notes.source, pool, tuple(notes.notes), tuple(brokers))


def _authentication(document: Document, wanted: set[str]) -> Converted:
    notes = Notes(source_of(document))
    try:
        note_authentication(Fields("", document), notes, is_wanted=notes.source in wanted)
    except Refused as refusal:
        notes.lost(str(refusal))
    return Converted(notes.source, None, tuple(notes.notes))


def _pool(document: Fields, hints: Hints, notes: Notes, brokers: list[tuple[str, ...]]) -> Mapping[str, Any]:
    meta, spec = document.object("metadata"), document.object("spec")
    name, deployment = _name(meta), _deployment(spec.object("scaleTargetRef"))
    namespace = meta.object_name("namespace")
    triggers = _triggers(spec, deployment, namespace, notes)
    brokers.extend(dict.fromkeys(trigger.broker for trigger in triggers))
    annotations = annotations_of(meta.object("annotations"), name, deployment, notes)
    return {
        "apiVersion": "imagemill.dev/v1alpha1",
        "kind": "WorkerPool",
        "metadata": _metadata(name, namespace, annotations),
        "spec": {"deployment": deployment, **_scaling(spec, triggers, hints, notes), "mode": "Advise"},
    }


def _scaling(spec: Fields, triggers: Sequence[RabbitTrigger], hints: Hints, notes: Notes) -> dict[str, Any]:
    modifiers = spec.object("advanced").object("scalingModifiers")
    demand, bounds = demand_of(triggers, modifiers, hints, notes), bounds_of(spec, notes)
    activation = {} if bounds["minReplicas"] else activation_of(triggers, modifiers, hints, notes)
    note_restoring(spec, notes)
    return {
        **demand,
        **activation,
        **bounds,
        **schedules_of(spec, bounds["maxReplicas"], notes),
        **pace_of(spec, notes),
        **fallback_of(spec, bounds["maxReplicas"], notes),
    }


def _name(fields: Fields) -> str:
    name = fields.object_name("name")
    if not name:
        raise Refused(f"{fields.path}.name is missing: KEDA refuses that too.")
    return name


def _metadata(name: str, namespace: str, annotations: Mapping[str, str]) -> dict[str, Any]:
    found = {"name": name, "namespace": namespace, "annotations": dict(annotations)}
    return {field: value for field, value in found.items() if value}


def _deployment(target: Fields) -> str:
    kind, version = target.text("kind", "Deployment"), target.text("apiVersion", "apps/v1")
    if kind != "Deployment" or not version.startswith("apps/"):
        raise Refused(
            f"scaleTargetRef is a {kind} ({version}): a pool scales Deployments only. Leave it to KEDA, or run its "
            "pods as a Deployment, which consumers of a queue without disks of their own can be."
        )
    return _name(target)


def _triggers(spec: Fields, deployment: str, namespace: str, notes: Notes) -> list[RabbitTrigger]:
    triggers = spec.objects("triggers")
    rabbit = [trigger for trigger in triggers if trigger.text("type") == "rabbitmq"]
    if not rabbit:
        kinds = ", ".join(trigger.text("type", "without type") for trigger in triggers) or "none"
        raise Refused(f"There is no rabbitmq trigger ({kinds}): a pool scales by RabbitMQ's queues. Leave it to KEDA.")
    for trigger in triggers:
        if trigger.text("type") not in ("rabbitmq", "cron"):
            note_other_trigger(trigger, notes)
    return [parse_trigger(trigger, deployment, namespace, notes) for trigger in rabbit]


def _shared_deployments(items: Iterable[Converted]) -> list[Note]:
    """Two pools for one Deployment: only the older one acts."""
    owners: dict[tuple[str, str], list[str]] = {}
    for item in items:
        if item.pool is not None:
            key = item.pool["metadata"].get("namespace", ""), item.pool["spec"]["deployment"]
            owners.setdefault(key, []).append(item.source)
    return [
        Note(" and ".join(sources), f"Deployment {deployment} can have one pool only: put their queues into one.", True)
        for (_, deployment), sources in owners.items()
        if len(sources) > 1
    ]
