"""YAML documents as they come: one or many, lists as kubectl prints them among them."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

Document = Mapping[str, Any]


class UnreadableError(ValueError):
    """The input is no YAML, or no manifests. The message is a sentence that says what to do."""


def read_documents(text: str | bytes) -> list[Document]:
    """Read all documents; raise UnreadableError when one of them is no manifest."""
    try:
        found = [document for document in yaml.safe_load_all(text) if document is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise UnreadableError(f"This is no YAML: {_first_words(problem)}.{_advice(text)}") from problem
    return [manifest for document in found for manifest in _manifests(document)]


def _manifests(document: Any) -> Iterator[Document]:
    if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
        raise UnreadableError(
            "A document has no kind: give whole manifests, as `kubectl get scaledobjects --output yaml` prints them."
        )
    if not document["kind"].endswith("List"):
        yield document
        return
    items = document.get("items") or []
    for item in items if isinstance(items, list) else [items]:
        yield from _manifests(_with_kind(item, document))


def _with_kind(item: Any, parent: Document) -> Any:
    """The items of a ScaledObjectList need not repeat what they are."""
    if not isinstance(item, Mapping) or "kind" in item or parent["kind"] == "List":
        return item
    return {"apiVersion": parent.get("apiVersion"), "kind": parent["kind"].removesuffix("List"), **item}


def _first_words(problem: Exception) -> str:
    if isinstance(problem, RecursionError):
        return "it is nested too deeply"
    return " ".join(str(problem).split())[:200].rstrip(".")


def _advice(text: str | bytes) -> str:
    if (b"{{" if isinstance(text, bytes) else "{{") in text:  # type: ignore[operator]
        return " It looks like a template: render it first, with `helm template` for instance."
    return " Give manifests of KEDA, in files or on standard input."
