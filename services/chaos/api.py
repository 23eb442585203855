"""The API as everybody who is here for the chaos uses it."""

from collections.abc import Mapping
from typing import Any

import requests

_TIMEOUT_SECONDS = 60


class Api:
    """One installation's; `token` where it has a lock on its door. Sessions belong to a thread each."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._headers: Mapping[str, str] = {"Authorization": f"Bearer {token}"} if token else {}

    def session(self) -> requests.Session:
        """Connections of one's own, logged in."""
        http = requests.Session()
        http.headers.update(self._headers)
        return http

    def image(self, image_id: str) -> dict[str, Any]:
        """What is told of a picture."""
        return self._json(f"/api/v1/images/{image_id}")

    def totals(self) -> dict[str, int]:
        """The counts."""
        return self._json("/api/v1/totals")

    def result(self, image_id: str) -> requests.Response:
        """A picture's result, or why there is none."""
        with self.session() as http:
            return http.get(f"{self.url}/api/v1/images/{image_id}/result", timeout=_TIMEOUT_SECONDS)

    def _json(self, path: str) -> dict[str, Any]:
        with self.session() as http:
            answer: dict[str, Any] = http.get(self.url + path, timeout=_TIMEOUT_SECONDS).json()
        return answer
