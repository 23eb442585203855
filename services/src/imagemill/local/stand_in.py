"""Installs the CouchDB stand-in's Node packages, once for each version of its source."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from imagemill.local.places import STAND_IN_SOURCE, TOOLS
from imagemill.local.servers import LocalError, program

_FILES = ("package.json", "package-lock.json", "server.js", "multipart.js", "rights.js", "views.js")
_INSTALL = ("ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
_TIMEOUT_SECONDS = 300


def installed_stand_in(source: Path = STAND_IN_SOURCE, tools: Path = TOOLS) -> Path:
    """The folder with server.js and its packages; installs them when they are not there, which takes seconds."""
    if not (source / "server.js").exists():
        raise LocalError(f"The CouchDB stand-in is not at {source}: run from a checkout, or set COUCHDB_URL.")
    target = tools / f"couchdb-stand-in-{_fingerprint(source)}"
    tools.mkdir(parents=True, exist_ok=True)
    with (tools / "couchdb-stand-in.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _install(source, target)
    return target


def _fingerprint(source: Path) -> str:
    return hashlib.sha256(b"\0".join((source / name).read_bytes() for name in _FILES)).hexdigest()[:16]


def _install(source: Path, target: Path) -> None:
    """Into a folder beside, which takes the target's name only when all is there."""
    building = target.with_suffix(".building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    for name in _FILES:
        shutil.copy(source / name, building)
    _run_npm(building)
    building.rename(target)


def _run_npm(folder: Path) -> None:
    npm = program("npm", "The CouchDB stand-in needs npm: install it (Debian: npm) or set COUCHDB_URL.")
    try:
        subprocess.run(  # noqa: S603 (our own arguments)
            [npm, *_INSTALL], cwd=folder, env=os.environ, check=True, capture_output=True, timeout=_TIMEOUT_SECONDS
        )
    except subprocess.CalledProcessError as failure:
        said = failure.stderr.decode(errors="replace").strip()[-1000:]
        raise LocalError(f"npm could not install the CouchDB stand-in's packages: {said}") from failure
    except subprocess.TimeoutExpired as expired:
        raise LocalError(f"npm did not finish within {_TIMEOUT_SECONDS} s: is its registry reachable?") from expired
