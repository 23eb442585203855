"""Style sheets, scripts and drawings, under an address that changes with them: browsers need never ask again.

One hash is that of all files together, and a folder of the address. So modules find each other beside themselves, and
those of one page are always of one version.
"""

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound

from imagemill.api.web.compression import compressed, is_compressible

_FOLDER = Path(__file__).parents[1] / "static"
_HASH_LETTERS = 16
_FOREVER = "public, max-age=31536000, immutable"
_SCRIPT = "text/javascript"


@dataclass(frozen=True)
class StaticFile:
    """A file's bytes, also compressed where that makes them fewer."""

    data: bytes
    mimetype: str
    packed: bytes | None


class StaticFiles:
    """All files below a folder, read once: they are few and small."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self.files = {path.relative_to(folder).as_posix(): _read(path) for path in paths}
        whole = hashlib.sha256()
        for name, found in self.files.items():
            whole.update(f"{name}\0{len(found.data)}\0".encode() + found.data)
        self.version = whole.hexdigest()[:_HASH_LETTERS]

    def install(self, app: Flask) -> None:
        """Serve them, and tell templates the address that they are under."""
        app.add_url_rule("/static/<path:filename>", endpoint="static", view_func=self.serve)
        app.jinja_env.globals["static"] = f"/static/{self.version}"

    def serve(self, filename: str) -> Response:
        """A file; without the version, or with that of another program, it must be asked for again."""
        version, _, rest = filename.partition("/")
        name = filename if filename in self.files else rest
        found = self.files.get(name)
        if found is None:
            raise NotFound
        takes_packed = found.packed is not None and request.accept_encodings["gzip"] > 0
        response = Response(found.packed if takes_packed and found.packed else found.data, mimetype=found.mimetype)
        if takes_packed:
            response.headers["Content-Encoding"] = "gzip"
        if found.packed is not None:
            response.vary.add("Accept-Encoding")
        response.headers["Cache-Control"] = _FOREVER if version == self.version else "no-cache"
        return response


def _read(path: Path) -> StaticFile:
    data = path.read_bytes()
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    mimetype = _SCRIPT if path.suffix == ".js" else guessed
    return StaticFile(data, mimetype, compressed(data) if is_compressible(mimetype, len(data)) else None)
