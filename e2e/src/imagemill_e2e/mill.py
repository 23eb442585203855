"""Imagemill as a client sees it."""

import io
import random
from dataclasses import dataclass, field
from typing import Any

import requests
from PIL import Image

from imagemill_e2e.waiting import until

TIMEOUT_SECONDS = 30
PAGE = 500


def picture(seed: int, width: int = 160, height: int = 120, grain: int = 1) -> bytes:
    """A picture which no other seed gives; a grain of several pixels makes it small for its size."""
    columns, rows = width // grain, height // grain
    pixels = random.Random(seed).randbytes(columns * rows * 3)  # noqa: S311
    buffer = io.BytesIO()
    Image.frombytes("RGB", (columns, rows), pixels).resize((width, height)).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


@dataclass(frozen=True)
class Mill:
    """The API at an address, as an admin."""

    url: str
    token: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What every request needs."""
        return {"Authorization": f"Bearer {self.token}"}

    def upload(self, pictures: list[bytes], batch: str, recipe: str = "gray", **fields: str) -> dict[str, Any]:
        """Uploads into a batch, in one request; raises for any answer but 202."""
        files = [("file", (f"{batch}-{number}.jpg", data, "image/jpeg")) for number, data in enumerate(pictures)]
        answer = requests.post(
            f"{self.url}/api/v1/images",
            files=files,
            data={"batch": batch, "recipe": recipe, **fields},
            headers=self.headers,
            timeout=TIMEOUT_SECONDS,
        )
        if answer.status_code != 202:
            raise AssertionError(f"an upload was answered with {answer.status_code}: {answer.text[:500]}")
        body: dict[str, Any] = answer.json()
        return body

    def get(self, path: str) -> requests.Response:
        """Any resource, also when the port-forward just leads to another pod; raises unless it is there."""
        (answer,) = until(f"an answer to GET {path}", lambda: self._try_get(path), timeout_seconds=60)
        answer.raise_for_status()
        return answer

    def _try_get(self, path: str) -> tuple[requests.Response] | None:
        try:
            return (requests.get(self.url + path, headers=self.headers, timeout=TIMEOUT_SECONDS),)
        except requests.RequestException:
            return None

    def counts(self, batch: str) -> dict[str, int]:
        """A batch's counts."""
        found: dict[str, int] = self.get(f"/api/v1/batches/{batch}").json()
        return found

    def statuses(self, batch: str) -> dict[str, str]:
        """The status of every accepted picture of a batch, by id."""
        found: dict[str, str] = {}
        after = ""
        while True:
            page = self.get(f"/api/v1/images?batch={batch}&limit={PAGE}&after={after}").json()
            found |= {image["id"]: image["status"] for image in page["images"]}
            after = page["next"]
            if after is None:
                return found

    def traces(self, batch: str) -> list[list[dict[str, Any]]]:
        """The steps of every accepted picture of a batch."""
        return [self.get(f"/api/v1/images/{image_id}").json()["trace"] for image_id in self.statuses(batch)]

    def wait_done(self, batch: str, timeout_seconds: float = 300) -> dict[str, int]:
        """The batch's counts once nothing of it is in flight."""

        def done() -> dict[str, int] | None:
            try:
                counts = self.counts(batch)
            except requests.RequestException:
                return None
            return counts if counts["in_flight"] == 0 else None

        return until(f"nothing of the batch {batch} is in flight", done, timeout_seconds, pause_seconds=1)
