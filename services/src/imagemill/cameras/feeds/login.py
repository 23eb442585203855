"""Credentials for HTTP: Digest where the camera offers it, because it does not send the password; else Basic."""

from base64 import b64encode
from typing import Any

from requests.auth import HTTPDigestAuth
from requests.utils import parse_dict_header

from imagemill.cameras.feeds.spec import Credentials


class Login:
    """Answers a camera's challenges. The nonce of a Digest challenge serves for the requests after it too.

    requests' own Digest handling reads the body of the refusal to its end, which a hostile camera need not have.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._digest: Any = None
        self._basic = False

    def challenged(self, challenge: str) -> bool:
        """Take a `WWW-Authenticate` header; False when it asks for something that is not known."""
        _, digest, rest = challenge.lower().partition("digest ")
        if digest:
            self._digest = _digest_for(self._credentials, challenge[-len(rest) :])
        self._basic = not digest and challenge.lower().startswith("basic")
        return bool(digest) or self._basic

    def header(self, url: str) -> str | None:
        """The `Authorization` header for a GET, or None before any challenge."""
        if self._digest is not None:
            header: str | None = self._digest.build_digest_header("GET", url)
            return header
        if self._basic:
            both = f"{self._credentials.user}:{self._credentials.password}".encode()
            return f"Basic {b64encode(both).decode()}"
        return None


def _digest_for(credentials: Credentials, challenge: str) -> Any:
    digest: Any = HTTPDigestAuth(credentials.user, credentials.password)
    digest.init_per_thread_state()
    digest._thread_local.chal = {"realm": "", "nonce": ""} | parse_dict_header(challenge)  # type: ignore[no-untyped-call]
    return digest
