"""One attempt to tell a channel. Never raises for what the other side does; the answer says how it went."""

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

import apprise
import requests

from imagemill.alerter.channels import WEBHOOK, Channel
from imagemill.alerter.pictures import TAKES_NONE, AlertImage
from imagemill.alerter.reach import Reach, only_within
from imagemill.alerting.message import Message
from imagemill.alerting.outcomes import CloudEvent
from imagemill.alerting.webhook import (
    IDEMPOTENCY_HEADER,
    AlertBody,
    WebhookRequest,
    build_event_request,
    build_request,
)

_CONNECT_SECONDS, _READ_SECONDS = 5, 10
_MOST_ANSWER_BYTES = 2048
_REFUSED = "not sent, as the settings do not allow the channel's address"
_CHATTER = "Notifying "


@dataclass(frozen=True)
class SendResult:
    """What came of it; `text` may repeat an address and is cleaned before it is kept.

    `attached` tells in words which picture went with it, or why none did; it is empty where none could.
    """

    ok: bool
    text: str
    status: int | None = None
    retry_after_seconds: float | None = None
    attached: str = ""


def send(
    channel: Channel, alert: AlertBody, message: Message, picture: AlertImage | None = None, attached: str = ""
) -> SendResult:
    """`alert` is the webhook's body, `message` and `picture` what people see; `attached` says why there is none."""
    with only_within(channel.policy) as reach:
        result = _webhook(channel, alert) if channel.kind == WEBHOOK else _apprise(channel, message, picture, attached)
    return _with_refusal(result, reach)


def send_event(channel: Channel, event: CloudEvent) -> SendResult:
    """Tell a webhook of an outcome."""
    if channel.kind != WEBHOOK:
        return SendResult(False, f"the channel {channel.name!r} is no webhook")
    with only_within(channel.policy) as reach:
        result = _posted(build_event_request(channel.address, channel.secret, event, int(time.time())))
    return _with_refusal(result, reach)


def _with_refusal(result: SendResult, reach: Reach) -> SendResult:
    # A host may have several addresses, of which another one was reached.
    return replace(result, text=f"{_REFUSED}: {reach.refusal}") if reach.refusal and not result.ok else result


def _webhook(channel: Channel, alert: AlertBody) -> SendResult:
    request = build_request(channel.address, channel.secret, alert, int(time.time()))
    # The same for every attempt: a receiver that has seen it may answer 200 and do nothing.
    key = {IDEMPOTENCY_HEADER: f"alert-{alert.number}-{channel.name}"}
    return _posted(replace(request, headers={**request.headers, **key}))


def _posted(request: WebhookRequest) -> SendResult:
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.post(
                request.url, data=request.body, headers=request.headers, timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False, stream=True,
            ) as answer:  # fmt: skip
                return _answer_of(answer)
        except (requests.RequestException, ValueError) as error:
            return SendResult(False, f"no answer: {_reason(error)}")


def _answer_of(answer: requests.Response) -> SendResult:
    text = next(answer.iter_content(_MOST_ANSWER_BYTES), b"").decode("utf-8", errors="replace")
    ok = 200 <= answer.status_code < 300
    return SendResult(
        ok, f"{answer.status_code} {answer.reason}: {text}".rstrip(": "), answer.status_code, _pause(answer)
    )


def _pause(answer: requests.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return f"nothing came within {_READ_SECONDS} s"
    return type(error).__name__


def _apprise(channel: Channel, message: Message, picture: AlertImage | None, attached: str) -> SendResult:
    service = apprise.Apprise()
    if not service.add(channel.address):
        return SendResult(False, "the channel's address is none that Apprise knows")
    if picture is not None:
        takes_it = all(server.attachment_support for server in service)
        picture, attached = (picture, picture.words) if takes_it else (None, TAKES_NONE)
    with _as_file(picture) as file, _listening() as said:
        ok = bool(service.notify(
            title=message.title, body=message.text, body_format=apprise.NotifyFormat.TEXT, attach=file,
        ))  # fmt: skip
    text = " ".join(said)
    return SendResult(ok, text or ("taken" if ok else "refused, and Apprise did not say why"), attached=attached)


_said: ContextVar[list[str] | None] = ContextVar("said", default=None)


class _Ear(logging.Handler):
    """What Apprise says, for whom it says it: others send at the same time, and its threads take the context along."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a line."""
        said = _said.get()
        if said is not None and not record.getMessage().startswith(_CHATTER):
            said.append(record.getMessage())


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Apprise tells what went wrong to its logger alone. It may name addresses, so its lines go nowhere else."""
    logger = logging.getLogger(apprise.LOGGER_NAME)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if _EAR not in logger.handlers:
        logger.addHandler(_EAR)
    said: list[str] = []
    token = _said.set(said)
    try:
        yield said
    finally:
        _said.reset(token)


_EAR = _Ear(logging.INFO)


@contextmanager
def _as_file(picture: AlertImage | None) -> Iterator[str | None]:
    """Some of Apprise's services open an attachment's file by its path: bytes in memory would not do."""
    if picture is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="imagemill-") as folder:
        path = Path(folder) / picture.name
        path.write_bytes(picture.data)
        yield str(path)
