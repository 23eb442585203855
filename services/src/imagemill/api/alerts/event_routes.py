"""Events of cameras, and what rules suppressed of them."""

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, jsonify, request

from imagemill.api.access.permissions import needs
from imagemill.api.alerts.routes import picture
from imagemill.api.alerts.service import AlertStores, alert_stores
from imagemill.api.alerts.views import CameraEvent, SuppressedEvent, event_view, suppressed_view
from imagemill.api.web.paging import page_limit
from imagemill.api.web.problems import Problem
from imagemill.domain.access import Permission
from imagemill.domain.alerts import Suppression
from imagemill.store.events import Page, StoredEvent

blueprint = Blueprint("camera_events", __name__)
_BASE = "/api/v1/camera-events"
Found = TypeVar("Found", StoredEvent, Suppression)


@blueprint.get("/api/v1/camera-events")
@needs(Permission.VIEW)
def list_events() -> Response:
    """Newest first, of all cameras or one."""
    events, cursor = events_page(alert_stores())
    return jsonify({"events": [event.as_json() for event in events], "next": cursor})


@blueprint.get("/api/v1/camera-events/<event_id>")
@needs(Permission.VIEW)
def get_event(event_id: str) -> Response:
    """One event."""
    found = alert_stores()
    stored = event_of(found, event_id)
    return jsonify(shown_event(stored, found.book.numbers_of([event_id]).get(event_id)).as_json())


@blueprint.get("/api/v1/camera-events/<event_id>/pictures/<name>")
@needs(Permission.VIEW)
def get_event_picture(event_id: str, name: str) -> Response:
    """One of its pictures."""
    return picture(alert_stores(), event_id, name, name)


@blueprint.get("/api/v1/held-back")
@needs(Permission.VIEW)
def list_held() -> Response:
    """What rules suppressed, newest first, with the reason."""
    held, cursor = suppressed_page(alert_stores())
    return jsonify({"held_back": [one.as_document() for one in held], "next": cursor})


def events_page(found: AlertStores) -> tuple[list[CameraEvent], str | None]:
    """The events which the request's `camera`, `after` and `limit` describe, and the next cursor."""
    page = _page(found.events.events)
    numbers = found.book.numbers_of(stored.event.id for stored in page.found)
    return [shown_event(stored, numbers.get(stored.event.id)) for stored in page.found], page.next


def suppressed_page(found: AlertStores) -> tuple[list[SuppressedEvent], str | None]:
    """The same of what was suppressed."""
    page = _page(found.events.suppressed)
    numbers = found.book.numbers_of(dict.fromkeys(held.event for held in page.found))
    return [suppressed_view(held, numbers.get(held.event)) for held in page.found], page.next


def _page(read: Callable[[int, str | None, str | None], Page[Found]]) -> Page[Found]:
    after = request.args.get("after") or None
    try:
        return read(page_limit(), after, request.args.get("camera") or None)
    except ValueError:
        raise Problem(400, "bad-cursor", f"after={after} is no cursor; use the `next` of the page before.") from None


def event_of(found: AlertStores, event_id: str) -> StoredEvent:
    """An event; raises Problem."""
    stored = found.events.get(event_id)
    if stored is None:
        raise Problem(404, "unknown-event", f"There is no event {event_id!r} (any more).")
    return stored


def shown_event(stored: StoredEvent, number: int | None) -> CameraEvent:
    """An event with addresses of its pictures."""
    return event_view(stored, number, pictures_at(stored.event.id))


def pictures_at(event_id: str) -> str:
    """Where an event's pictures are."""
    return f"{_BASE}/{event_id}/pictures"
