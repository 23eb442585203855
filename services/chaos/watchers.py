"""Readers who look on while everything breaks, and write down what they are told."""

import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import requests

from chaos.api import Api
from chaos.clients import Sent
from chaos.history import History
from chaos.threads import Threads

_TIMEOUT_SECONDS = 20


class Watchers(Threads):
    """One asks for pictures and totals, one reads what is announced. What has no answer is not written down."""

    def __init__(self, api: Api, history: History, sent: Sequence[Sent], seed: int) -> None:
        self._api, self._history, self._sent, self._chance = api, history, sent, random.Random(f"watch-{seed}")
        super().__init__(partial(self._again, self._ask), partial(self._again, self._listen))

    def _ask(self, http: requests.Session, _: threading.Event) -> None:
        self.look_at(http, "totals")
        if self._sent:
            # The latest are those that change.
            few = self._sent[-20:] if self._chance.random() < 0.5 else self._sent
            self.look_at(http, "outcome", self._chance.choice(few).id)

    def look_at(self, http: requests.Session, kind: str, about: str = "") -> None:
        """Ask once."""
        started = time.monotonic()
        path = "/api/v1/totals" if kind == "totals" else f"/api/v1/images/{about}"
        answer = http.get(self._api.url + path, timeout=_TIMEOUT_SECONDS)
        if answer.status_code < 500:
            self._history.note(kind, about, started, _outcome(answer) if kind == "outcome" else answer.json())

    def _listen(self, http: requests.Session, stopping: threading.Event) -> None:
        with http.get(f"{self._api.url}/api/v1/events", stream=True, timeout=_TIMEOUT_SECONDS) as answer:
            answer.raise_for_status()
            kind = ""
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                if stopping.is_set():
                    return
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: ") and kind == "outcome":
                    self._announced(http, json.loads(line.removeprefix("data: ")))

    def _announced(self, http: requests.Session, outcome: dict[str, Any]) -> None:
        started, path = time.monotonic(), "/result" if outcome["status"] == "stored" else ""
        answer = http.get(f"{self._api.url}/api/v1/images/{outcome['id']}{path}", timeout=_TIMEOUT_SECONDS)
        if answer.status_code < 500:
            self._history.note("bytes", outcome["id"], started, answer.status_code)
        if answer.status_code == 200 and not path:
            self._history.note("outcome", outcome["id"], started, _outcome(answer))

    def _again(self, look: Callable[[requests.Session, threading.Event], None], stopping: threading.Event) -> None:
        with self._api.session() as http:
            while not stopping.wait(0.05):
                try:
                    look(http, stopping)
                except (requests.RequestException, ValueError):
                    stopping.wait(0.3)


def _outcome(answer: requests.Response) -> tuple[str, str]:
    """State and what is told with it, which may never change once it is an end."""
    if answer.status_code != 200:
        return "unknown" if answer.status_code == 404 else "refused", str(answer.status_code)
    body = answer.json()
    return body["status"], body["code"] or (body["result"] or {}).get("sha256", "")
