"""Starts the operator: ``python -m imagemill_operator``. The environment tells it all (see ``settings``)."""

import logging
import sys

from imagemill_operator.handlers import Login, build_registry, login
from imagemill_operator.lean import kopf
from imagemill_operator.settings import Settings


def run(settings: Settings, log_in: Login = login) -> None:
    """Run until a signal comes. Peering is left to our own lease, so that no second CRD is needed."""
    kopf.configure(log_format=kopf.LogFormat.FULL)
    logging.getLogger().setLevel(settings.log_level)
    for noisy in ("kopf", "aiohttp"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
    # A connection that ends while its pools are awake is nothing to worry about; what is, ``live`` says in a sentence.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    kopf.run(registry=build_registry(settings, log_in), standalone=True, namespaces=[settings.namespace])


def main() -> int:
    """Return the exit status."""
    try:
        settings = Settings.from_env()
    except ValueError as problem:
        sys.stderr.write(f"imagemill-operator: {problem}\n")
        return 2
    run(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
