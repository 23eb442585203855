"""A writer which dies between CouchDB's answer and the acknowledgement."""

import os

from imagemill.process.program import run as run_program
from imagemill.wire.broker import Delivery
from imagemill.writer.__main__ import main

Delivery.ack = lambda self: os._exit(9)  # type: ignore[method-assign]

if __name__ == "__main__":
    run_program("writer", main)
