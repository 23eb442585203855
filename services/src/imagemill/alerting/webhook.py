"""Builds the webhook's request; sending it is somebody else's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.alerting.outcomes import CLOUD_EVENTS_JSON, CloudEvent
from imagemill.alerting.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from imagemill.domain.alerts import Alert

ALERT_HEADER = "Imagemill-Alert"
IDEMPOTENCY_HEADER = "Idempotency-Key"
_TOLD = {"number", "at", "camera", "kind", "started_at", "description", "rules"}


@dataclass(frozen=True)
class WebhookRequest:
    """A POST. The URL may hold a secret and the headers hold the signature, so neither is shown."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


@dataclass(frozen=True)
class AlertBody:
    """What a webhook is told of an alert; the number stands in a header too."""

    number: int
    json: bytes


def alert_body(alert: Alert, url: str) -> AlertBody:
    """Make the body of an alert as it was raised; `url` is its page."""
    told = alert.model_dump(mode="json", include=_TOLD)
    return AlertBody(alert.number, canonical_json(told | {"event": alert.raised_for.as_json(), "url": url}))


def sample_body(at: float, text: str) -> AlertBody:
    """Make the body of a test of the channel; its number is 0."""
    return AlertBody(0, canonical_json({"number": 0, "test": True, "at": at, "description": text}))


def build_request(url: str, secret: bytes, alert: AlertBody, timestamp: int) -> WebhookRequest:
    """The request for one attempt: the body is the same for all attempts, time and signature are new for each.

    A receiver may get an alert twice (when its answer was lost); the alert's number tells.
    """
    own = {"Content-Type": "application/json", ALERT_HEADER: str(alert.number)}
    return _signed(url, secret, alert.json, timestamp, own)


def build_event_request(url: str, secret: bytes, event: CloudEvent, timestamp: int) -> WebhookRequest:
    """The request for one attempt to tell an outcome, in CloudEvents' structured form; the id is also its key."""
    own = {"Content-Type": CLOUD_EVENTS_JSON, IDEMPOTENCY_HEADER: str(event["id"])}
    return _signed(url, secret, canonical_json(event), timestamp, own)


def _signed(url: str, secret: bytes, body: bytes, timestamp: int, own: Mapping[str, str]) -> WebhookRequest:
    headers = {
        "User-Agent": "imagemill",
        **own,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: sign(secret, timestamp, body),
    }
    return WebhookRequest(url, headers, body)


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """Sorted keys and no spaces: the same alert gives the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
