"""Builds the webhook's request; sending it is somebody else's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagemill.alerting.outcomes import CLOUD_EVENTS_JSON, CloudEvent
from imagemill.alerting.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

ALERT_HEADER = "Imagemill-Alert"
IDEMPOTENCY_HEADER = "Idempotency-Key"


@dataclass(frozen=True)
class WebhookRequest:
    """A POST. The URL may hold a secret and the headers hold the signature, so neither is shown."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


def build_request(url: str, secret: bytes, alert: Mapping[str, Any], timestamp: int) -> WebhookRequest:
    """The request for one attempt: the body is the same for all attempts, time and signature are new for each.

    A receiver may get an alert twice (when its answer was lost); the alert's number tells.
    """
    own = {"Content-Type": "application/json", ALERT_HEADER: str(alert["number"])}
    return _signed(url, secret, canonical_json(alert), timestamp, own)


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
