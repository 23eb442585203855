"""Somebody who erases pictures while everything breaks, and what must be true of them afterwards."""

import random
import threading
import time
from collections.abc import Sequence
from functools import partial

import requests

from chaos.api import Api
from chaos.clients import Sent
from chaos.threads import Threads

_EVERY_SECONDS = 3.0
_TIMEOUT_SECONDS = 60


class Erasers(Threads):
    """Erase one picture of those sent every few seconds, without time to undo it.

    `asked`: all for which that was tried. `erased`: those of which it was told so, and in the end those that are.
    """

    def __init__(self, api: Api, sent: Sequence[Sent], seed: int) -> None:
        self._api, self._sent, self._chance = api, sent, random.Random(f"erase-{seed}")
        self.asked: set[str] = set()
        self.erased: set[str] = set()
        self.wrong: list[str] = []
        super().__init__(partial(self._erase_some))

    def _erase_some(self, stopping: threading.Event) -> None:
        with self._api.session() as http:
            while not stopping.wait(_EVERY_SECONDS):
                if self._sent:
                    self._erase(http, self._chance.choice(self._sent).id)

    def _erase(self, http: requests.Session, image_id: str) -> None:
        self.asked.add(image_id)
        body = {"images": [image_id], "at_once": True}
        try:
            answer = http.post(f"{self._api.url}/api/v1/erasures", json=body, timeout=_TIMEOUT_SECONDS)
            told = answer.json() if answer.status_code < 500 else {}
        except (requests.RequestException, ValueError):
            return
        if image_id in [one["id"] for one in told.get("erased", ())]:
            self.erased.add(image_id)
        elif told and "in-flight" not in str(told):
            self.wrong.append(f"{image_id} was not erased: {str(told)[:300]}")

    def all_gone(self, patience_seconds: float) -> float | None:
        """Seconds until the eraser was through with all, or None if it was not in time."""
        started = time.monotonic()
        self._look_up()
        waiting = set(self.erased)
        while waiting:
            if time.monotonic() - started > patience_seconds:
                return None
            waiting = {one for one in waiting if self._state(one) != "purged"}
            time.sleep(1)
        return time.monotonic() - started

    def _look_up(self) -> None:
        """Those of which no answer came may be erased; those of which it was told must be."""
        there = {one for one in self.asked if self._state(one)}
        self.wrong += [f"{one} was erased, and is not" for one in self.erased - there]
        self.erased = there

    def _state(self, image_id: str) -> str:
        return str((self._api.image(image_id).get("erasure") or {}).get("state", ""))
