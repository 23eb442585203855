"""The pages of cameras: the list with live images, and the form of one with its test and its areas."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.api.access.permissions import add_pages
from imagemill.api.cameras import forms
from imagemill.api.cameras.routes import frame_response
from imagemill.api.cameras.views import camera_view
from imagemill.api.web.forms import again
from imagemill.api.web.problems import problem_of
from imagemill.api.web.responses import services
from imagemill.cameras.credentials import names_of
from imagemill.domain.access import Permission
from imagemill.domain.errors import DomainError, Invalid
from imagemill.domain.ids import timestamp

Json = dict[str, Any]


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(
        blueprint,
        ("/cameras", cameras_page, Permission.VIEW),
        ("/cameras", add_form, Permission.ADMINISTER, "POST"),
        ("/cameras/new", new_page, Permission.ADMINISTER),
        ("/cameras/test", test_form, Permission.ADMINISTER, "POST"),
        ("/cameras/<camera_id>", camera_page, Permission.VIEW),
        ("/cameras/<camera_id>", save_form, Permission.ADMINISTER, "POST"),
        ("/cameras/<camera_id>/remove", remove_form, Permission.ADMINISTER, "POST"),
    )


def cameras_page() -> str:
    """Show all cameras with their newest image."""
    service = services().cameras
    found, view = service.cameras.all(), service.states.view()
    shown = [_with_time(camera_view(service, camera, view)) for _, camera in sorted(found.items())]
    return render_template("cameras.html", cameras=shown, readers=len(service.alive(view)), settings=service.settings)


def new_page() -> str:
    """Show the empty form."""
    return _new_form({})


def camera_page(camera_id: str) -> str:
    """Show the form of a camera, under its image."""
    return _form(camera_id, {}, saved="saved" in request.args)


def add_form() -> AnyResponse:
    """Add a camera, then show its page; what is wrong is said beside its field."""
    try:
        return _to(f"/cameras/{services().cameras.add_camera(_given()).id}?saved")
    except DomainError as error:
        return again(_new_form(forms.as_typed(), error), error)


def save_form(camera_id: str) -> AnyResponse:
    """Change a camera, then show its page."""
    try:
        given = _given({"id": camera_id})
        services().cameras.put_camera(camera_id, given, request.form.get("revision") or None)
        return _to(f"/cameras/{camera_id}?saved")
    except DomainError as error:
        return again(_form(camera_id, forms.as_typed(), error), error)


def _given(more: Json | None = None) -> Json:
    """The camera of the form; a password in its address is kept elsewhere, where that is asked for."""
    given = forms.given() | (more or {})
    keeps = "keep_credentials" in request.form
    revision = request.form.get("revision") or None
    return services().cameras.with_kept_credentials(given, more is None, revision) if keeps else given


def remove_form(camera_id: str) -> AnyResponse:
    """Remove a camera, then show the list."""
    services().cameras.remove_camera(camera_id, request.form.get("revision") or None)
    return _to("/cameras")


def test_form() -> Response:
    """Read one frame of what the form says, saved or not. A script gets a problem, a person a page."""
    try:
        return frame_response(_tested_frame())
    except DomainError as error:
        if request.accept_mimetypes.accept_html:
            raise
        return problem_of(error).response()


def _tested_frame() -> bytes:
    service = services().cameras
    try:
        given = forms.given()
    except Invalid as error:
        raise Invalid("bad-camera", f"The camera cannot be tested: {error}.", error.member, error.mistakes) from error
    return service.tests.frame(service.check_camera({"name": "unsaved"} | given))


def _new_form(typed: Json, error: DomainError | None = None) -> str:
    return _render(forms.fields_of(forms.NEW) | {"id": "", "name": ""} | typed, error, is_new=True)


def _form(camera_id: str, typed: Json, error: DomainError | None = None, saved: bool = False) -> str:
    service = services().cameras
    camera = service.camera(camera_id)
    shown = _with_time(camera_view(service, camera, service.states.view()))
    return _render({**shown, **forms.fields_of(camera), **typed}, error, saved=saved)


def _render(camera: Json, error: DomainError | None, is_new: bool = False, saved: bool = False) -> str:
    settings = services().cameras.settings
    return render_template(
        "camera.html", camera=camera, error=error, member=error.member if error else "",
        mistakes=error.mistakes if error else {},
        credentials=names_of(settings.camera_credentials_file), folder=settings.camera_folder, is_new=is_new,
        saved=saved, keeps_credentials=services().cameras.keeps_credentials,
    )  # fmt: skip


def _with_time(shown: Json) -> Json:
    since = shown["status"]["since"]
    return shown | {"since": timestamp(since) if since else None}


def _to(path: str) -> AnyResponse:
    return redirect(path, HTTPStatus.SEE_OTHER)
