#!/usr/bin/env python3
"""Prints the operator's chart as one file for `kubectl apply`, for those who have no Helm.

It needs what e2e/requirements-dev.lock has: Helm's engine as a library, so that nothing else is to be installed.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart

CHART = Path(__file__).parent / "workerpool-operator"
FIRST = ("CustomResourceDefinition", "ServiceAccount", "Role", "RoleBinding")
CLUSTER_WIDE = {"CustomResourceDefinition", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
HEAD = """\
# The chart workerpool-operator for the namespace {namespace}; its broker's addresses are in the Secret {secret} there,
# under any of the keys amqp-url, management-url and metrics-url:
#   kubectl create secret generic {secret} --namespace {namespace} --from-literal=amqp-url=amqp://user:password@host:5672/
"""
Manifest = dict[str, Any]


def values(broker_secret: str) -> Mapping[str, Any]:
    """What differs from the chart's defaults; `keep` is a word of Helm's, which kubectl does not know."""
    return {"broker": {"existingSecret": broker_secret}, "crds": {"keep": False}, "admissionPolicy": "Always"}


def manifests(namespace: str, broker_secret: str, release: str = CHART.name) -> list[Manifest]:
    """Everything the chart renders, each in its namespace, in an order in which it can be applied."""
    files = Chart.load(str(CHART)).render(values(broker_secret), name=release, namespace=namespace)
    texts = [text for path, text in sorted(files.items()) if path.endswith(".yaml")]
    found = [document for text in texts for document in yaml.safe_load_all(text) if document]
    return [_placed(manifest, namespace) for manifest in sorted(found, key=_order)]


def _order(manifest: Manifest) -> int:
    return FIRST.index(manifest["kind"]) if manifest["kind"] in FIRST else len(FIRST)


def _placed(manifest: Manifest, namespace: str) -> Manifest:
    """Helm gives a namespace to what names none; kubectl takes whichever is the user's."""
    if manifest["kind"] in CLUSTER_WIDE:
        return manifest
    return {**manifest, "metadata": {"namespace": namespace, **manifest["metadata"]}}


def install_file(namespace: str, broker_secret: str) -> str:
    """The file's text."""
    documents = [yaml.safe_dump(item, sort_keys=False, width=120) for item in manifests(namespace, broker_secret)]
    return HEAD.format(namespace=namespace, secret=broker_secret) + "---\n" + "---\n".join(documents)


def main() -> int:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", default="default", help="where the operator runs and whose pools it scales")
    parser.add_argument("--broker-secret", default="broker", help="name of the Secret with the broker's addresses")
    chosen = parser.parse_args()
    sys.stdout.write(install_file(chosen.namespace, chosen.broker_secret))
    return 0


if __name__ == "__main__":
    sys.exit(main())
