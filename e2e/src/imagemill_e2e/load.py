"""Uploads which go on while things break, and what became of them."""

import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import requests

from imagemill_e2e.mill import Mill, picture

TIMEOUT_SECONDS = 30
REPEAT_SECONDS = 0.5


@dataclass
class Story:
    """What the clients saw."""

    accepted: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    without_retry_after: int = 0


class Load:
    """Clients which upload one picture after the other, and try again when one is not accepted."""

    def __init__(self, mill: Mill, batch: str, clients: int = 3, pause_seconds: float = 0.05) -> None:
        self._mill, self._batch, self._pause = mill, batch, pause_seconds
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._numbers = itertools.count(time.time_ns() // 1000)
        self._threads = [threading.Thread(target=self._work, name=f"client-{n}", daemon=True) for n in range(clients)]
        self.story = Story()

    def __enter__(self) -> "Load":
        """Begins."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Lets every client finish its picture, except that a broken test does not wait."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS + 5)

    def accepted(self) -> int:
        """Pictures accepted so far, as the clients know."""
        return len(self.story.accepted)

    def _work(self) -> None:
        with requests.Session() as session:
            while not self._stopping.is_set():
                self._one(session, picture(next(self._numbers)))
                self._stopping.wait(self._pause)

    def _one(self, session: requests.Session, data: bytes) -> None:
        while not self._stopping.is_set() and not self._try(session, data):
            self._stopping.wait(REPEAT_SECONDS)

    def _try(self, session: requests.Session, data: bytes) -> bool:
        query = {"batch": self._batch, "recipe": "gray", "name": f"{self._batch}.jpg"}
        try:
            answer = session.post(
                f"{self._mill.url}/api/v1/images", params=query, data=data, timeout=TIMEOUT_SECONDS,
                headers={"Content-Type": "image/jpeg", **self._mill.headers},
            )  # fmt: skip
        except requests.RequestException:
            return self._note("no answer")
        if answer.status_code == 202:
            return self._note("202", answer.json()["accepted"][0]["id"])
        return self._note(str(answer.status_code), retry_after="Retry-After" in answer.headers)

    def _note(self, answer: str, image_id: str | None = None, retry_after: bool = True) -> bool:
        with self._lock:
            self.story.answers[answer] += 1
            self.story.without_retry_after += not retry_after
            if image_id is not None:
                self.story.accepted.append(image_id)
        return image_id is not None


def check_nothing_lost(mill: Mill, batch: str, story: Story, timeout_seconds: float = 300) -> None:
    """Every picture which a client knows to be accepted is stored, and the counts add up."""
    counts = mill.wait_done(batch, timeout_seconds)
    statuses = mill.statuses(batch)
    assert story.accepted, f"no picture was accepted: {story.answers}"
    lost = [image_id for image_id in story.accepted if statuses.get(image_id) != "stored"]
    assert not lost, f"{len(lost)} of {len(story.accepted)} accepted pictures are not stored: {lost[:5]}"
    # A client whose connection broke may not know that its picture was accepted: so there may be more.
    assert counts["accepted"] == len(statuses) >= len(set(story.accepted))
    assert counts["accepted"] == counts["stored"] + counts["failed"]
    assert counts["failed"] == 0
