"""kopf without the official Kubernetes client in memory.

kopf imports the client when it is installed, only to recognise its classes among what handlers return; that alone takes
20 MiB. It is kept out while kopf is imported. Logging in outside of a cluster still uses it: that happens later.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def absent(name: str) -> Iterator[None]:
    """Make a module that was not imported yet look as if it was not installed."""
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    if name in modules:
        yield
        return
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]


with absent("kubernetes"):
    import kopf as kopf

__all__ = ["kopf"]
