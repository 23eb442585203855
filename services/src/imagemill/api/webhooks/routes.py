"""Deliveries over the API: list, show, send again."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from imagemill.api.access.permissions import needs
from imagemill.api.web.bodies import json_body
from imagemill.api.web.paging import page_limit
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.api.webhooks.service import MAX_AT_ONCE, DeliveryService, ResendReport, is_delivery_id
from imagemill.api.webhooks.views import delivery_view
from imagemill.domain.access import Permission
from imagemill.domain.errors import Invalid
from imagemill.store.deliveries import DeliveryPage, DeliveryStore

blueprint = Blueprint("webhooks", __name__)
_BODY = "The body must be a JSON object that names deliveries in `deliveries`, or describes them in `matching`."


def delivery_service() -> DeliveryService:
    """Make the service of the running app."""
    mill = services()
    return DeliveryService(DeliveryStore(mill.stores.couch), mill.record)


def page_of_deliveries() -> DeliveryPage:
    """The page which the request's `state`, `receiver`, `after` and `limit` describe; raises Problem and Invalid."""
    after = request.args.get("after") or None
    if after is not None and not is_delivery_id(after):
        raise Problem(400, "bad-cursor", f"after={after!r} is no cursor; use the `next` of the page before.")
    state, receiver = request.args.get("state") or None, request.args.get("receiver", "").strip()
    return delivery_service().page(page_limit(), after, state, receiver)


@blueprint.get("/api/v1/deliveries")
@needs(Permission.VIEW)
def list_deliveries() -> Response:
    """Deliveries, newest event first."""
    found = page_of_deliveries()
    return jsonify({"deliveries": [delivery_view(one) for one in found.deliveries], "next": found.next})


@blueprint.get("/api/v1/deliveries/<delivery_id>")
@needs(Permission.VIEW)
def get_delivery(delivery_id: str) -> Response:
    """One delivery with its event and its attempts."""
    return jsonify(delivery_view(delivery_service().one(delivery_id)))


@blueprint.post("/api/v1/deliveries/<delivery_id>/retry")
@needs(Permission.OPERATE)
def retry_delivery(delivery_id: str) -> Response:
    """One that was given up, again."""
    delivery_service().send_again(delivery_id)
    return jsonify(_answer(ResendReport([delivery_id])))


@blueprint.post("/api/v1/deliveries/retry")
@needs(Permission.OPERATE)
def retry_deliveries() -> Response:
    """Those that were given up, by id or all of a receiver, again."""
    body = json_body(_BODY)
    ids, matching = body.get("deliveries"), body.get("matching")
    if (ids is None) == (matching is None):
        raise Invalid("bad-value", "Name deliveries in `deliveries`, or describe them in `matching`.", "deliveries")
    if ids is None:
        if not isinstance(matching, dict):
            raise Invalid("bad-value", '`matching` must be an object, such as {"receiver": "shop"}.', "matching")
        return jsonify(_answer(delivery_service().send_failed_again(str(matching.get("receiver") or ""))))
    if not isinstance(ids, list) or not 0 < len(ids) <= MAX_AT_ONCE or not all(isinstance(one, str) for one in ids):
        raise Invalid("bad-value", f"`deliveries` must be a list of 1 to {MAX_AT_ONCE} ids.", "deliveries")
    return jsonify(_answer(delivery_service().send_all_again(ids)))


def _answer(report: ResendReport) -> dict[str, Any]:
    refused = [{"id": one, "code": code, "detail": detail} for one, (code, detail) in report.refused.items()]
    return {"retried": report.retried, "refused": refused}
