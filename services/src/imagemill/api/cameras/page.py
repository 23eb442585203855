"""The pages of cameras: the list with live pictures, and the form of one with its test and its areas."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.cameras import routes
from imagemill.api.cameras.areas import areas_of, text_of
from imagemill.api.cameras.service import CameraService
from imagemill.api.web import forms
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.cameras.credentials import names_of
from imagemill.domain.cameras import Camera, CameraError
from imagemill.domain.ids import timestamp
from imagemill.domain.redact import redact

# Motion settings with fields of their own; all others are in the text field, as JSON.
_TICKS = ("only_zones", "people")
_OWN_FIELDS = ("sensitivity", *_TICKS, "masks", "zones")
_USUAL_SENSITIVITY = 50
_NEW: Mapping[str, Any] = {
    "id": "", "name": "", "address": "", "credentials": None, "frames_per_second": 1.0, "motion": {}, "enabled": True,
    "loop": True, "paced": True, "revision": "",
}  # fmt: skip


def add_to(blueprint: Blueprint) -> None:
    """Adds the routes."""
    for path, view, method in (
        ("/cameras", cameras_page, "GET"),
        ("/cameras", add_form, "POST"),
        ("/cameras/new", new_page, "GET"),
        ("/cameras/test", test_form, "POST"),
        ("/cameras/<camera_id>", camera_page, "GET"),
        ("/cameras/<camera_id>", save_form, "POST"),
        ("/cameras/<camera_id>/remove", remove_form, "POST"),
    ):
        blueprint.add_url_rule(path, view_func=view, methods=[method])


def cameras_page() -> str:
    """All cameras with their newest picture."""
    service = services().cameras
    found, view = service.cameras.all(), service.states.view()
    shown = [_with_time(routes.shape(service, camera, view)) for _, camera in sorted(found.items())]
    return render_template("cameras.html", cameras=shown, readers=len(service.alive(view)), settings=service.settings)


def new_page() -> str:
    """The empty form."""
    return _form(_NEW, None)


def camera_page(camera_id: str) -> str:
    """The form of a camera, under its picture."""
    service = services().cameras
    return _form(_shape(service, routes.camera_of(service, camera_id)), None, saved="saved" in request.args)


def add_form() -> AnyResponse:
    """A new camera, then its page; what is wrong is said above the form."""
    service = services().cameras
    try:
        return redirect(f"/cameras/{routes.added(service, _given()).id}?saved", HTTPStatus.SEE_OTHER)
    except forms.WRONG as error:
        return _again({**_NEW, **_as_typed()}, error)


def save_form(camera_id: str) -> AnyResponse:
    """A changed camera, then its page."""
    service = services().cameras
    try:
        routes.changed(service, camera_id, _given() | {"id": camera_id}, request.form.get("revision") or None)
        return redirect(f"/cameras/{camera_id}?saved", HTTPStatus.SEE_OTHER)
    except forms.WRONG as error:
        return _again(_shape(service, routes.camera_of(service, camera_id)) | _as_typed(), error)


def remove_form(camera_id: str) -> AnyResponse:
    """Removes a camera, then the list."""
    routes.removed(services().cameras, camera_id, request.form.get("revision") or None)
    return redirect("/cameras", HTTPStatus.SEE_OTHER)


def test_form() -> Response:
    """One frame of what the form says, whether it is saved or not. A script gets a problem, a person a page."""
    service = services().cameras
    try:
        return routes.frame_response(service.tests.frame(routes.checked(service, {"name": "unsaved"} | _given())))
    except Problem as raised:
        problem = raised
    except forms.WRONG as error:
        problem = Problem(422, "bad-camera", f"The camera cannot be tested: {error}.", member=forms.member_of(error))
    if request.accept_mimetypes.accept_html:
        raise problem
    return problem.response()


def _given() -> dict[str, Any]:
    """The camera that the form describes; raises one of forms.WRONG."""
    texts = {name: forms.text(name) or None for name in ("id", "name", "address", "credentials")}
    rate = {"frames_per_second": forms.number("frames_per_second")}
    given = texts | forms.flags("enabled", "loop", "paced") | rate | {"motion": _motion()}
    return {name: value for name, value in given.items() if value is not None}


def _motion() -> dict[str, Any]:
    more = _json(forms.text("more") or "{}")
    sensitivity = forms.number("sensitivity")
    own = {} if sensitivity == _USUAL_SENSITIVITY else {"sensitivity": sensitivity}
    own |= {name: True for name in _TICKS if name in request.form}
    return more | own | areas_of(request.form.get("areas", ""))


def _json(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise CameraError("more", 'more settings must be a JSON object, for example {"quiet_seconds": 20}')
    return given


def _as_typed() -> dict[str, Any]:
    """What was typed, so that nothing has to be typed again, but for secrets."""
    names = ("name", "id", "address", "credentials", "frames_per_second", "revision")
    typed: dict[str, Any] = {name: request.form[name] for name in names if name in request.form}
    typed |= {"address": redact(typed.get("address", ""))}
    flags = forms.flags("enabled", "loop", "paced", *_TICKS)
    return typed | flags | {name: request.form.get(name, "") for name in ("areas", "more", "sensitivity")}


def _shape(service: CameraService, camera: Camera) -> dict[str, Any]:
    return _with_time(routes.shape(service, camera, service.states.view()))


def _with_time(shown: dict[str, Any]) -> dict[str, Any]:
    since = shown["status"]["since"]
    return shown | {"since": timestamp(since) if since else None}


def _form(camera: Mapping[str, Any], error: Exception | None, saved: bool = False) -> str:
    motion = camera["motion"]
    fields = {
        **{name: bool(motion.get(name)) for name in _TICKS},
        "areas": text_of(motion),
        "sensitivity": motion.get("sensitivity", _USUAL_SENSITIVITY),
        "more": _more(motion),
    }
    settings = services().cameras.settings
    return render_template(
        "camera.html", camera={**fields, **camera}, is_new=not camera.get("status"), saved=saved,
        error=error, member=forms.member_of(error), credentials=names_of(settings.camera_credentials_file),
        folder=settings.camera_folder,
    )  # fmt: skip


def _more(motion: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in motion.items() if name not in _OWN_FIELDS}
    return json.dumps(rest, indent=2) if rest else ""


def _again(camera: Mapping[str, Any], error: Exception) -> Response:
    return Response(_form(camera, error), forms.status_of(error), mimetype="text/html")
