"""Events of cameras, and what rules held back of them."""

from flask import Blueprint, Response, jsonify, request

from imagemill.api.access.permissions import needs
from imagemill.api.alerts import service
from imagemill.api.alerts import views as shapes
from imagemill.api.alerts.routes import picture
from imagemill.api.alerts.service import AlertStores, alert_stores
from imagemill.api.web.paging import page_limit
from imagemill.api.web.problems import Problem
from imagemill.domain.access import Permission
from imagemill.store.couch import Document
from imagemill.store.events import Page

blueprint = Blueprint("camera_events", __name__)
_BASE = "/api/v1/camera-events"


@blueprint.get("/api/v1/camera-events")
@needs(Permission.VIEW)
def list_events() -> Response:
    """Newest first, of all cameras or one."""
    found = alert_stores()
    page = page_of(found, "event")
    told = [_told(document, number) for document, number in service.with_numbers(found, page.documents, "id")]
    return jsonify({"events": told, "next": page.next})


@blueprint.get("/api/v1/camera-events/<event_id>")
@needs(Permission.VIEW)
def get_event(event_id: str) -> Response:
    """One event."""
    found = alert_stores()
    document = event_of(found, event_id)
    return jsonify(_told(document, found.book.numbers_of([event_id]).get(event_id)))


@blueprint.get("/api/v1/camera-events/<event_id>/pictures/<name>")
@needs(Permission.VIEW)
def get_event_picture(event_id: str, name: str) -> Response:
    """One of its pictures."""
    return picture(alert_stores(), event_id, name, name)


@blueprint.get("/api/v1/held-back")
@needs(Permission.VIEW)
def list_held() -> Response:
    """What rules held back, newest first, with the reason."""
    found = alert_stores()
    page = page_of(found, "held")
    told = [shapes.held(document, number) for document, number in service.with_numbers(found, page.documents, "event")]
    return jsonify({"held_back": told, "next": page.next})


def page_of(found: AlertStores, what: str) -> Page:
    """The page which the request's `camera`, `after` and `limit` describe."""
    read = found.events.events if what == "event" else found.events.held
    after = request.args.get("after") or None
    try:
        return read(page_limit(), after, request.args.get("camera") or None)
    except ValueError:
        raise Problem(400, "bad-cursor", f"after={after} is no cursor; use the `next` of the page before.") from None


def event_of(found: AlertStores, event_id: str) -> Document:
    """An event; raises Problem."""
    document = found.events.get(event_id)
    if document is None:
        raise Problem(404, "unknown-event", f"There is no event {event_id!r} (any more).")
    return document


def _told(document: Document, number: int | None) -> shapes.Json:
    return shapes.event(document, number, f"{_BASE}/{document['id']}/pictures")
