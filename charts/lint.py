#!/usr/bin/env python3
"""Lints the charts as `helm lint --strict` does, with Helm's engine as a library (e2e/requirements-dev.lock)."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helm_python import lint

CHARTS: dict[str, dict[str, Any]] = {
    "imagemill": {},
    "workerpool-operator": {"broker": {"existingSecret": "broker"}},
}
WARNING = 2


def findings() -> Iterator[str]:
    """What is to be mended."""
    for chart, values in CHARTS.items():
        report = lint(str(Path(__file__).parent / chart), values, strict=True, kube_version="v1.34.0")
        yield from (f"charts/{chart}: {problem}" for problem in report["errors"])
        for message in report["messages"]:
            if message["severity"] >= WARNING:
                yield f"charts/{chart}/{message['path']}: {message['error']}"


def main() -> int:
    """Tell them."""
    found = sorted(set(findings()))
    print("\n".join(found) or f"{len(CHARTS)} charts are clean.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
