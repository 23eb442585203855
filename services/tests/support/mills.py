"""An Imagemill for all tests of a module, on a virtual host and databases of its own."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill

_TIMEOUT_SECONDS = 120
_EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


@contextmanager
def running_mill(
    rabbit: RabbitServer, couch: CouchServer, folder: Path, before: Callable[[Mill], None] = lambda _: None,
    **settings: Any,
) -> Iterator[Mill]:  # fmt: skip
    """Api, worker, writer and journal as real processes; `before` is done before any of them starts."""
    name = f"mill-{uuid.uuid4().hex[:8]}"
    with requests.Session() as broker:
        broker.auth = (rabbit.user, rabbit.password)
        address = f"{rabbit.management_url}/api/vhosts/{name}"
        rights = f"{rabbit.management_url}/api/permissions/{name}/{rabbit.user}"
        broker.put(address, timeout=_TIMEOUT_SECONDS).raise_for_status()
        broker.put(rights, json=_EVERYTHING, timeout=_TIMEOUT_SECONDS).raise_for_status()
        mill = Mill(folder, rabbit.amqp_url.removesuffix("%2F") + name, couch.url, name, **settings)
        try:
            before(mill)
            yield mill.start("writer", "api", "worker", "journal")
        finally:
            mill.close()
            broker.delete(address, timeout=_TIMEOUT_SECONDS).raise_for_status()
