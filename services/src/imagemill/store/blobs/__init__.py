"""Bytes by their SHA-256: written once, never changed. Where they are is a choice: CouchDB, a folder, or S3."""

from imagemill.store.blobs.base import Blobs

__all__ = ["Blobs"]
