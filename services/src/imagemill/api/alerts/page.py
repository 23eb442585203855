"""The pages of alerts: the list with its big field, one alert as a short report, events, what was suppressed."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.alerting.message import WHAT
from imagemill.alerting.words import duration
from imagemill.api.access.permissions import add_pages
from imagemill.api.alerts import event_routes, service, snoozing
from imagemill.api.alerts.filters import CLASSES, FIELDS
from imagemill.api.alerts.routes import asked_for, counts_of, page_of_alerts
from imagemill.api.alerts.service import AlertStores, alert_stores
from imagemill.api.alerts.views import CameraEvent, snooze_view
from imagemill.api.web.bodies import optional_body
from imagemill.api.web.layout import address_of
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.api.web.search import alert_number
from imagemill.domain.access import Permission
from imagemill.store.events import StoredEvent

_ENDS = {
    "quiet": "it was quiet again", "scene": "the scene changed", "frozen": "the picture froze",
    "silence": "the camera sent no more pictures", "gap": "no pictures came for a while",
    "longest": "it went on for longer than one event may", "moving": "the picture moved again",
    "settings": "the camera's settings changed", "live": "the camera sent pictures again",
}  # fmt: skip
_RESULTS = {"sent": "received", "failed": "failed", "given_up": "given up", "unknown": "no answer known"}
_LENGTHS: dict[str, dict[str, Any]] = {
    "quarter": {"seconds": 900}, "hour": {"seconds": 3600}, "morning": {"until": snoozing.MORNING},
}  # fmt: skip


def add_to(blueprint: Blueprint) -> None:
    """Adds the routes."""
    add_pages(
        blueprint,
        ("/alerts", alerts_page, Permission.VIEW),
        ("/alerts/<int:number>", alert_page, Permission.VIEW),
        ("/alerts/acknowledge", acknowledge_many_form, Permission.OPERATE, "POST"),
        ("/alerts/<int:number>/acknowledge", acknowledge_form, Permission.OPERATE, "POST"),
        ("/alerts/<int:number>/unacknowledge", take_back_form, Permission.OPERATE, "POST"),
        ("/alerts/<int:number>/pin", pin_form, Permission.OPERATE, "POST"),
        ("/alerts/<int:number>/unpin", unpin_form, Permission.OPERATE, "POST"),
        ("/alerts/<int:number>/snooze", snooze_form, Permission.OPERATE, "POST"),
        ("/alerts/events", events_page, Permission.VIEW),
        ("/alerts/events/<event_id>", event_page, Permission.VIEW),
        ("/alerts/held-back", suppressed_page, Permission.VIEW),
    )


# --- lists ----------------------------------------------------------------------------------------


def alerts_page() -> AnyResponse | str:
    """The big field and the list; `number` leads straight to one."""
    number = alert_number(request.args.get("number", "").strip())
    if number:
        return redirect(f"/alerts/{number}")
    asked = asked_for()
    found, cursor = page_of_alerts(asked)
    stores, known = alert_stores(), services().cameras.cameras.all()
    zones = {zone.name for camera in known.values() for zone in camera.motion.zones}
    return _render(
        "alerts.html", alerts=found, cursor=cursor, tab_counts=counts_of(asked), given=asked.given, state=asked.state,
        stills=_stills(stores, [alert.event for alert in found]), wrong=request.args.get("number"),
        cameras=sorted(known), zones=sorted(zones), classes=CLASSES, timezone=services().settings.timezone,
    )  # fmt: skip


def events_page() -> str:
    """Events of cameras, whatever became of them."""
    found = alert_stores()
    events, cursor = event_routes.events_page(found)
    stills = _stills(found, [event.id for event in events])
    return _render("alert_events.html", events=events, cursor=cursor, stills=stills)


def suppressed_page() -> str:
    """What rules suppressed, and why."""
    held, cursor = event_routes.suppressed_page(alert_stores())
    return _render("alert_held.html", held=held, cursor=cursor)


# --- one ------------------------------------------------------------------------------------------


def alert_page(number: int) -> str:
    """A short report."""
    found = alert_stores()
    raised = service.alert_of(found, number).raised_for
    alert = service.whole(found, number)
    event = alert.details
    scopes = [None, *alert.rules]
    snoozes = [
        snooze_view(one) for one in found.snoozes.lasting(time.time())
        if one.snooze.camera in (None, alert.camera) and one.snooze.rule in scopes
    ]  # fmt: skip
    return _render(
        "alert.html", alert=alert, event=event, pictures=_by_kind(event), last=found.book.last(number),
        lasted=_lasted(event), ended=_ENDS.get(event.end_reason or ""), raised=raised, snoozes=snoozes,
        timezone=services().settings.timezone,
    )  # fmt: skip


def event_page(event_id: str) -> AnyResponse | str:
    """An event that is no alert; one that is has its alert's page."""
    found = alert_stores()
    number = found.book.numbers_of([event_id]).get(event_id)
    if number:
        return redirect(f"/alerts/{number}")
    event = event_routes.shown_event(event_routes.event_of(found, event_id), None)
    return _render(
        "alert.html", alert=None, event=event, raised=event, pictures=_by_kind(event), lasted=_lasted(event),
        ended=_ENDS.get(event.end_reason or ""),
    )  # fmt: skip


def _by_kind(event: CameraEvent) -> dict[str, str | list[str] | None]:
    pictures = {item.name.partition(".")[0]: item.url for item in event.pictures}
    strip = [url for name, url in pictures.items() if name.startswith("strip-")]
    return {name: pictures.get(name) for name in ("best", "annotated", "before")} | {"strip": strip}


def _lasted(event: CameraEvent) -> str | None:
    if event.ended_at is None:
        return None
    began, ended = (datetime.fromisoformat(at).astimezone(UTC) for at in (event.started_at, event.ended_at))
    return duration(max(1.0, (ended - began).total_seconds()))


@dataclass(frozen=True)
class Still:
    """What a card shows of an event: addresses of one light picture, and of those that play."""

    thumbnail: str | None
    strip: list[str]


def _stills(found: AlertStores, event_ids: list[str]) -> dict[str, Still]:
    """By event."""
    return {event_id: _still(event_id, stored) for event_id, stored in found.events.get_many(event_ids).items()}


def _still(event_id: str, stored: StoredEvent) -> Still:
    """The preview tells what happened, else the strip's second picture does (the first is before it)."""
    names, at = sorted(stored.pictures), event_routes.pictures_at(event_id)
    strip = [f"{at}/{name}" for name in names if name.startswith("strip-")]
    second = strip[1] if len(strip) > 1 else None
    return Still(f"{at}/preview.jpg" if "preview.jpg" in names else second, strip)


def _render(template: str, **context: Any) -> str:
    camera = request.args.get("camera") or None
    return render_template(template, what=WHAT, results=_RESULTS, camera=camera, **context)


# --- forms ----------------------------------------------------------------------------------------


def acknowledge_many_form() -> AnyResponse:
    """Somebody has seen those that are selected; back to the list as it was asked for."""
    numbers = [number for text in request.form.getlist("number") if (number := alert_number(text)) is not None]
    if numbers:
        service.acknowledge_many(alert_stores(), optional_body() | {"numbers": numbers})
    kept = {name: request.form.get(name) for name in (*FIELDS, "state")}
    return _to(address_of("/alerts", **kept))


def acknowledge_form(number: int) -> AnyResponse:
    """Somebody has seen it."""
    service.acknowledge(alert_stores(), number, optional_body())
    return _to(f"/alerts/{number}")


def take_back_form(number: int) -> AnyResponse:
    """Nobody has seen it, after all."""
    service.take_back(alert_stores(), [number])
    return _to(f"/alerts/{number}")


def pin_form(number: int) -> AnyResponse:
    """Its pictures stay."""
    service.pin(alert_stores(), number, optional_body())
    return _to(f"/alerts/{number}")


def unpin_form(number: int) -> AnyResponse:
    """Its pictures go with their month."""
    service.unpin(alert_stores(), number)
    return _to(f"/alerts/{number}")


def snooze_form(number: int) -> AnyResponse:
    """Quiet about this camera, or about one of the alert's rules; the alert's page says until when."""
    found = alert_stores()
    alert, body = service.alert_of(found, number), optional_body()
    rule = body.get("rule") or None
    if rule is not None and rule not in alert.rules:
        raise Problem(422, "bad-value", f"Alert {number} has no rule {rule!r}.", member="rule")
    length = _LENGTHS.get(str(body.pop("length", "")), {"seconds": body.get("seconds")})
    snoozing.snooze(found, body | length, None if rule else alert.camera)
    return _to(f"/alerts/{number}")


def _to(path: str) -> AnyResponse:
    return redirect(path, HTTPStatus.SEE_OTHER)
