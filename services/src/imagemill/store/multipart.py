"""A document with raw files in one body (`multipart/related`), as CouchDB takes it: half the cost of base64."""

import json
import secrets
from collections.abc import Mapping
from typing import Any


def related(document: Mapping[str, Any], files: Mapping[str, tuple[bytes, str]]) -> tuple[str, bytes]:
    """Content type and body. Files are bytes and content type by name; names are plain ASCII without quotes."""
    boundary = secrets.token_hex(16)
    follows = {
        name: {"follows": True, "content_type": content_type, "length": len(data)}
        for name, (data, content_type) in files.items()
    }
    whole = {**document, "_attachments": {**document.get("_attachments", {}), **follows}}
    parts = [_part(boundary, {"Content-Type": "application/json"}, json.dumps(whole).encode())]
    parts += [
        _part(boundary, {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}, data)
        for name, (data, kind) in files.items()
    ]
    return f'multipart/related; boundary="{boundary}"', b"".join(parts) + f"--{boundary}--".encode()


def _part(boundary: str, headers: Mapping[str, str], data: bytes) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"--{boundary}\r\n{head}\r\n".encode() + data + b"\r\n"
