"""The charts, rendered without a cluster."""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart

CHART = Path(__file__).parents[3] / "charts" / "imagemill"
OPERATOR_CHART = CHART.parent / "workerpool-operator"
NAMESPACE = "mills"
RELEASE = "mill"

Manifest = dict[str, Any]
Values = Mapping[str, Any]
PRODUCTION: Values = yaml.safe_load((CHART / "values-production.yaml").read_text("utf-8"))


@functools.cache
def chart(path: Path = CHART) -> Chart:
    """A chart, loaded once."""
    return Chart.load(str(path))


def render(values: Values | None = None, *, revision: int = 1, path: Path = CHART) -> list[Manifest]:
    """All manifests of a release; they are shared between tests, so leave them as they are."""
    return _rendered(json.dumps(values or {}, sort_keys=True), revision, path)


@functools.cache
def _rendered(values: str, revision: int, path: Path) -> list[Manifest]:
    files = chart(path).render(json.loads(values), name=RELEASE, namespace=NAMESPACE, revision=revision)
    texts = [text for name, text in sorted(files.items()) if not name.endswith((".tpl", "NOTES.txt"))]
    return [document for text in texts for document in yaml.load_all(text, yaml.CSafeLoader) if document]


def notes(values: Values | None = None, *, upgrade: bool = False, path: Path = CHART) -> str:
    """What Helm prints after installing."""
    files: Mapping[str, str] = chart(path).render(
        dict(values or {}), name=RELEASE, namespace=NAMESPACE, is_install=not upgrade, is_upgrade=upgrade
    )
    return files[f"{path.name}/templates/NOTES.txt"]


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    """Those of some kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def named(manifests: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """The one with this name, which begins with the release's; raises LookupError when there is none."""
    full = f"{RELEASE}-imagemill-{name}" if name else f"{RELEASE}-imagemill"
    for manifest in manifests:
        if manifest["kind"] == kind and manifest["metadata"]["name"] == full:
            return manifest
    raise LookupError(f"there is no {kind} {full}")


def pods(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest, Manifest]]:
    """(name, metadata, spec) of every pod and pod template."""
    for manifest in manifests:
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        if manifest["kind"] == "Pod":
            yield name, manifest["metadata"], manifest["spec"]
        elif "template" in manifest.get("spec", {}):
            template = manifest["spec"]["template"]
            yield name, template["metadata"], template["spec"]


def containers(spec: Manifest) -> list[Manifest]:
    """A pod's containers, those before it starts included."""
    return [*spec.get("initContainers", []), *spec["containers"]]


def environment(container: Manifest) -> dict[str, str]:
    """Variables with a value of their own."""
    return {item["name"]: item["value"] for item in container["env"] if "value" in item}


def quantity(text: str) -> float:
    """CPU in cores, memory in bytes."""
    units = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    for unit in sorted(units, key=len, reverse=True):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * units[unit]
    return float(text)
