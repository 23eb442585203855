"""Logs: one JSON object a line on stderr, for people on a terminal in colour. Secrets are never passed to a logger."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor


def _origin(program: str, instance: str) -> Processor:
    # Not structlog's context variables: a thread begins with none.
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {"program": program, "instance": instance, **event}

    return add


def configure(level: str, program: str, instance: str) -> None:
    """Sets up structlog, and sends the libraries' own warnings the same way."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            _origin(program, instance),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # What pika tells of connections is told by the broker core in its own words.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    logging.getLogger("ibm_cloud_sdk_core").setLevel(logging.CRITICAL)
    logging.getLogger("ibm-cloud-sdk-core").setLevel(logging.CRITICAL)
