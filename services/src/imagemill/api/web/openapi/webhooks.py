"""Deliveries of outcomes: list, show, send again."""

from typing import Any

from imagemill.api.web.openapi import examples
from imagemill.api.web.openapi.models import components
from imagemill.api.web.openapi.operations import (
    AFTER,
    CHANGING,
    DATABASE_AWAY,
    LIMIT,
    answer,
    in_path,
    json_body,
    operation,
    problems,
    query,
)
from imagemill.api.web.openapi.schemas import STRING, Schema, listed, page, ref, shape
from imagemill.api.webhooks.views import DeliveryView
from imagemill.domain.deliveries import DELIVERY_STATES

Json = dict[str, Any]
_AT = "2026-11-21T09:15:02.421Z"
_EVENT: Json = {
    "specversion": "1.0", "id": f"image:{examples.ID}:stored", "source": "https://mill.example",
    "type": "dev.imagemill.image.stored", "time": _AT, "subject": f"images/{examples.ID}",
    "datacontenttype": "application/json",
    "data": {
        "id": examples.ID, "batch": examples.BATCH, "name": "beach.jpg", "recipe": "gray", "source": None,
        "retry_of": None, "status": "stored", "duplicate": False, "warnings": [], "code": None, "reason": None,
        "original": examples.ORIGINAL, "result": examples.RESULT,
        "url": f"https://mill.example/api/v1/images/{examples.ID}",
        "result_url": f"https://mill.example/api/v1/images/{examples.ID}/result",
    },
}  # fmt: skip
_ID = f"{_AT}:shop:{_EVENT['id']}"
_DELIVERY: Json = {
    "id": _ID, "receiver": "shop", "state": "failed", "next_at": None,
    "reason": "the receiver refuses it (410); trying again would not change that",
    "attempts": [{"at": _AT, "ok": False, "status": 410, "answer": "410 Gone"}], "event": _EVENT,
}  # fmt: skip
_BY_ID = in_path("delivery_id", STRING, "The delivery's id.")
_REPORT: Json = {"retried": [_ID], "refused": []}
_STATE: Schema = {"type": "string", "enum": list(DELIVERY_STATES)}
_CHOICE: Json = {
    "type": "object",
    "properties": {
        "deliveries": listed(STRING) | {"maxItems": 500},
        "matching": {
            "type": "object", "properties": {"receiver": STRING},
            "description": "The newest 500 that were given up, of that receiver or of all; ask until none is left.",
        },
    },
}  # fmt: skip

DELIVERIES: Json = {
    "/api/v1/deliveries": {
        "get": operation(
            "Webhooks", "listDeliveries", "Deliveries, newest event first",
            [
                answer(200, "Deliveries", "A page; it may be short and yet have a next one.", {
                    "deliveries": [_DELIVERY], "next": None,
                }),
                problems({400: ("bad-cursor", "bad-limit"), 422: ("bad-value",), **DATABASE_AWAY}),
            ],
            description="What was to be told of outcomes, to whom, and how that went; kept for some months.",
            parameters=[
                query("state", _STATE, "Only of this state; `failed` was given up."),
                query("receiver", STRING, "Only to this receiver."), AFTER, LIMIT,
            ],
        )
    },
    "/api/v1/deliveries/{delivery_id}": {
        "get": operation(
            "Webhooks", "getDelivery", "One delivery: its event and its attempts",
            [
                answer(200, "DeliveryView", "The delivery.", _DELIVERY),
                problems({404: ("unknown-delivery",), **DATABASE_AWAY}),
            ],
            parameters=[_BY_ID],
        )
    },
    "/api/v1/deliveries/{delivery_id}/retry": {
        "post": operation(
            "Webhooks", "retryDelivery", "Send one again that was given up",
            [
                answer(200, "RetriedDeliveries", "It will be sent.", _REPORT),
                problems({404: ("unknown-delivery",), 409: ("not-given-up",), **CHANGING}),
            ],
            parameters=[_BY_ID],
        )
    },
    "/api/v1/deliveries/retry": {
        "post": operation(
            "Webhooks", "retryDeliveries", "Send those again that were given up",
            [
                answer(200, "RetriedDeliveries", "What became of them.", _REPORT),
                problems({400: ("bad-json",), 415: ("not-json",), 422: ("bad-value",), **CHANGING}),
            ],
            body=json_body(_CHOICE, {"matching": {"receiver": "shop"}}),
        )
    },
}  # fmt: skip


def schemas() -> dict[str, Schema]:
    """What the routes of deliveries answer with."""
    refused = shape("One that is not sent again.", {"id": STRING, "code": ref("Code"), "detail": STRING})
    return components(DeliveryView) | {
        "Deliveries": page("deliveries", ref("DeliveryView")),
        "NotRetried": refused,
        "RetriedDeliveries": shape(
            "What is sent again.", {"retried": listed(STRING), "refused": listed(ref("NotRetried"))}
        ),
    }
