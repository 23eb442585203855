"""Bytes named by their SHA-256: what a store of them can do, whatever it is made of."""

import hashlib
from typing import Protocol

from imagemill.domain.previews import NONE, Previews


class BlobStore(Protocol):
    """Originals and results: written once, never changed."""

    def put(self, name: str, data: bytes, content_type: str, previews: Previews = NONE) -> bool:
        """Store bytes, and previews beside them; True when they are new."""

    def get(self, name: str) -> bytes:
        """The bytes; raises LookupError when there is no such blob, StoreUnavailable when it is not reached."""


def sha256(data: bytes) -> str:
    """The name of a blob."""
    return hashlib.sha256(data).hexdigest()
