"""IBM's client for one CouchDB server, as one user."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from ibm_cloud_sdk_core.authenticators import Authenticator, BasicAuthenticator, NoAuthAuthenticator
from ibmcloudant.cloudant_v1 import CloudantV1
from requests.adapters import HTTPAdapter

_CONNECT_TIMEOUT_SECONDS = 3


def open_service(url: str, timeout_seconds: float, connections: int, ca_file: Path | None) -> CloudantV1:
    """Make the client of an address with user and password; `ca_file` names who vouches for an `https://` server."""
    parts = urlsplit(url)
    service = CloudantV1(authenticator=_authenticator(parts.username, parts.password))
    service.set_service_url(
        f"{parts.scheme}://{parts.hostname}:{parts.port or _default_port(parts.scheme)}{parts.path}"
    )
    # Compressed pictures do not shrink, and a compressed body costs CPU on both sides.
    service.set_enable_gzip_compression(False)
    service.set_http_client(_session(connections, ca_file))
    service.set_http_config({"timeout": (_CONNECT_TIMEOUT_SECONDS, timeout_seconds)})
    return service


def _authenticator(user: str | None, password: str | None) -> Authenticator:
    if user is None:
        return NoAuthAuthenticator()
    return BasicAuthenticator(unquote(user), unquote(password or ""))


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _session(connections: int, ca_file: Path | None) -> requests.Session:
    session = requests.Session()
    session.verify = str(ca_file) if ca_file else True
    session.trust_env = False  # no proxy and no .netrc may come between
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections, pool_block=True)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
