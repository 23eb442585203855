"""Alerts by number: read, acknowledged, pinned, snoozed, and as a ZIP."""

import hashlib
import io
import time
import zipfile
from datetime import datetime

from flask import Blueprint, Response, json, jsonify, request

from imagemill.admission import headers
from imagemill.alerting.offline import PICTURE, offline_page
from imagemill.api.access.permissions import needs
from imagemill.api.alerts import service, snoozing
from imagemill.api.alerts.filters import Asked, asked_of
from imagemill.api.alerts.service import alert_stores
from imagemill.api.alerts.views import AlertView, SnoozeMade, WholeAlert, snooze_view
from imagemill.api.web.bodies import json_body, optional_body
from imagemill.api.web.camera_frames import as_allowed, shown
from imagemill.api.web.paging import page_limit
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission

blueprint = Blueprint("alerts", __name__)
_NUMBERS = 'Send a JSON object with the numbers of alerts, for example {"numbers": [17, 18]}.'


@blueprint.get("/api/v1/alerts")
@needs(Permission.VIEW)
def list_alerts() -> Response:
    """Newest first, all or those that match."""
    asked = asked_for()
    found, cursor = page_of_alerts(asked)
    counts = counts_of(asked)
    return jsonify({"alerts": [alert.as_document() for alert in found], "next": cursor, "counts": counts})


def asked_for() -> Asked:
    """What the request's query asks for."""
    return asked_of(request.args, services().settings.timezone)


def page_of_alerts(asked: Asked) -> tuple[list[AlertView], str | None]:
    """The page which the request's query and its `after` and `limit` describe, and the next cursor."""
    after = request.args.get("after") or None
    if after is not None and not (after.isascii() and after.isdigit() and len(after) <= 10):
        raise Problem(400, "bad-cursor", f"after={after} is no cursor; use the `next` of the page before.")
    found, cursor = service.page(alert_stores(), asked, page_limit(), int(after) if after else None)
    return found, str(cursor) if cursor else None


def counts_of(asked: Asked) -> dict[str, int]:
    """How many match, whatever their state, and how many of those are in which."""
    counts = alert_stores().index.counts(asked.filter)
    return {"all": counts.all, "new": counts.new, "acknowledged": counts.acknowledged}


@blueprint.get("/api/v1/alerts/<int:number>")
@needs(Permission.VIEW)
def get_alert(number: int) -> Response:
    """One alert with everything that is known of it."""
    return jsonify(service.whole(alert_stores(), number).as_document())


@blueprint.get("/api/v1/alerts/<int:number>/pictures/<name>")
@needs(Permission.VIEW)
def get_alert_picture(number: int, name: str) -> Response:
    """One of its pictures."""
    found = alert_stores()
    return picture(found, service.alert_of(found, number).event, name, f"alert-{number}-{name}")


@blueprint.get("/api/v1/alerts/<int:number>.zip")
@needs(Permission.VIEW)
def get_alert_zip(number: int) -> Response:
    """The alert as JSON and all its pictures, with a page that shows them without any network."""
    found = alert_stores()
    alert = service.whole(found, number)
    pictures = {name: found.events.picture(alert.event, name) for name in alert.picture_names}
    files = {name: as_allowed(data) for name, data in pictures.items() if data is not None}
    response = Response(_zipped(alert, files), mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="alert-{number}.zip"'
    return response


@blueprint.post("/api/v1/alerts/<int:number>/acknowledge")
@needs(Permission.OPERATE)
def acknowledge(number: int) -> Response:
    """Somebody has seen it; the first one counts."""
    return jsonify(service.acknowledge(alert_stores(), number, optional_body()).model_dump())


@blueprint.delete("/api/v1/alerts/<int:number>/acknowledge")
@needs(Permission.OPERATE)
def take_back(number: int) -> Response:
    """Nobody has seen it, after all."""
    found = alert_stores()
    service.alert_of(found, number)
    service.take_back(found, [number])
    return jsonify({"number": number, "acknowledged": None})


@blueprint.post("/api/v1/alerts/acknowledge")
@needs(Permission.OPERATE)
def acknowledge_many() -> Response:
    """Somebody has seen all of these."""
    return jsonify(service.acknowledge_many(alert_stores(), json_body(_NUMBERS)))


@blueprint.post("/api/v1/alerts/unacknowledge")
@needs(Permission.OPERATE)
def take_back_many() -> Response:
    """Nobody has seen these, after all."""
    return jsonify(service.take_back_many(alert_stores(), json_body(_NUMBERS)))


@blueprint.post("/api/v1/alerts/<int:number>/pin")
@needs(Permission.OPERATE)
def pin(number: int) -> Response:
    """Its pictures stay when their month goes."""
    service.pin(alert_stores(), number, optional_body())
    return jsonify({"number": number, "pinned": True})


@blueprint.delete("/api/v1/alerts/<int:number>/pin")
@needs(Permission.OPERATE)
def unpin(number: int) -> Response:
    """They go with their month again."""
    service.unpin(alert_stores(), number)
    return jsonify({"number": number, "pinned": False})


@blueprint.post("/api/v1/alerts/<int:number>/snooze")
@needs(Permission.OPERATE)
def snooze_camera(number: int) -> Response:
    """Quiet about this alert's camera for `seconds`."""
    found = alert_stores()
    camera = service.alert_of(found, number).camera
    return _created(snoozing.snooze(found, optional_body(), camera))


@blueprint.get("/api/v1/snoozes")
@needs(Permission.VIEW)
def list_snoozes() -> Response:
    """Those which last."""
    return jsonify(
        {"snoozes": [snooze_view(named).model_dump() for named in alert_stores().snoozes.lasting(time.time())]}
    )


@blueprint.post("/api/v1/snoozes")
@needs(Permission.OPERATE)
def add_snooze() -> Response:
    """Quiet about a camera, a rule, or everything for `seconds`."""
    return _created(snoozing.snooze(alert_stores(), optional_body()))


@blueprint.delete("/api/v1/snoozes/<snooze_id>")
@needs(Permission.OPERATE)
def end_snooze(snooze_id: str) -> Response:
    """Ends it now."""
    snoozing.end_snooze(alert_stores(), snooze_id)
    return Response(status=204)


def _created(made: SnoozeMade) -> Response:
    response = jsonify(made.model_dump())
    response.status_code = 201
    response.headers["Location"] = made.url
    return response


# --- pictures -------------------------------------------------------------------------------------


def picture(found: service.AlertStores, event_id: str, name: str, download_name: str) -> Response:
    """A picture of an event. It came from a camera or a stranger: nothing in it can run."""
    data = found.events.picture(event_id, name) if PICTURE.fullmatch(name) else None
    if data is None:
        raise Problem(404, "no-picture", f"There is no picture {name!r} of the event {event_id!r} (any more).")
    data = shown(data)
    response = Response(data, mimetype=headers.sniff(data) or "application/octet-stream")
    # An event that goes on may get a better picture under the same name.
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    how = "attachment" if "download" in request.args else "inline"
    response.headers["Content-Disposition"] = f'{how}; filename="{download_name}"'
    response.set_etag(hashlib.sha256(data).hexdigest())
    return response.make_conditional(request)  # type: ignore[return-value]


def _zipped(alert: WholeAlert, files: dict[str, bytes | None]) -> bytes:
    """JPEGs do not shrink: they are stored as they are."""
    folder = f"alert-{alert.number}"
    when = datetime.fromisoformat(alert.at).timetuple()[:6]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{folder}/alert.json", when), json.dumps(alert.as_document(), indent=2))
        there = {name: data for name, data in files.items() if data is not None and PICTURE.fullmatch(name)}
        page = offline_page(alert.as_document(), there)
        archive.writestr(zipfile.ZipInfo(f"{folder}/index.html", when), page, zipfile.ZIP_DEFLATED)
        for name, data in there.items():
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}", when), data)
    return made.getvalue()
