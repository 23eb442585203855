"""Clients which send pictures of all sizes, again and again until they are taken, and remember what they were told."""

import contextlib
import random
import threading
import time
import uuid
from dataclasses import dataclass
from functools import partial

import requests

import pictures
from chaos.api import Api
from chaos.history import History
from chaos.threads import Threads
from imagemill.domain.ids import uuid7

_CLIENTS = 3
# How often somebody sends what was sent before: bytes that several pictures share.
_SENT_BEFORE = 0.15
# Width, height, quality: from 1 kB to more than 10 MB, the small ones more often.
_SHAPES = (
    [(32, 24, 60)] * 10 + [(320, 240, 80)] * 10 + [(1280, 720, 90)] * 4 + [(2560, 1440, 97)] * 2 + [(5200, 3900, 99)]
)


@dataclass(frozen=True)
class Sent:
    """A picture that was taken, by what the client was told. `attempts`: requests it took."""

    id: str
    data: bytes
    attempts: int


class Clients(Threads):
    """Send until told to stop; each ends with an answer for its last picture."""

    def __init__(self, api: Api, history: History, seed: int) -> None:
        self.api, self.history, self.seed = api, history, seed
        self.sent: list[Sent] = []
        self.answers: dict[str, int] = {}
        self.wrong: list[str] = []
        super().__init__(*(partial(self._send_all, number) for number in range(_CLIENTS)))

    def _send_all(self, number: int, stopping: threading.Event) -> None:
        chance = random.Random(f"{self.seed}-{number}")
        with self.api.session() as http:
            while not stopping.is_set():
                self._send(http, self._drawn(chance), wait=chance.random() < 0.3)
                time.sleep(chance.random() * 0.2)

    def _drawn(self, chance: random.Random) -> bytes:
        if self.sent and chance.random() < _SENT_BEFORE:
            return chance.choice(self.sent).data
        width, height, quality = chance.choice(_SHAPES)
        return pictures.photo_jpeg(width, height, uuid.uuid4().int % 2**31, quality)

    def _send(self, http: requests.Session, data: bytes, wait: bool) -> None:
        key, deadline, attempts = uuid7(), time.monotonic() + 300, 0
        fields = {"key": key, "recipe": "gray", "batch": "chaos"} | ({"wait": "8"} if wait else {})
        while time.monotonic() < deadline:
            attempts += 1
            started = time.monotonic()
            with contextlib.suppress(requests.RequestException):
                answer = http.post(
                    f"{self.api.url}/api/v1/images", files=[("file", ("a.jpg", data))], data=fields, timeout=60
                )
                self._note(answer)
                if answer.status_code in (200, 202):
                    image_id = _id_in(answer)
                    self.history.note("taken", key, started, image_id)
                    self.sent.append(Sent(image_id, data, attempts))
                    return
            time.sleep(0.3)
        self.wrong.append("a picture was not taken within five minutes")

    def _note(self, answer: requests.Response) -> None:
        name = str(answer.status_code)
        if answer.status_code not in (200, 202):
            with contextlib.suppress(ValueError):
                name += f" {answer.json().get('code')}"
            if answer.status_code != 503:
                self.wrong.append(f"{answer.status_code}: {answer.text[:300]}")
        self.answers[name] = self.answers.get(name, 0) + 1


def _id_in(answer: requests.Response) -> str:
    if answer.status_code == 200:
        return answer.headers["Location"].rsplit("/", 1)[1]
    accepted: str = answer.json()["accepted"][0]["id"]
    return accepted
