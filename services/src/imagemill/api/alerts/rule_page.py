"""The pages of rules: the list with channels and snoozes, and the form of one."""

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.alerting.message import WHAT
from imagemill.alerting.rules import CLASSES, KINDS, WEEKDAYS, Rule
from imagemill.alerting.words import duration
from imagemill.api.alerts import rule_fields as fields
from imagemill.api.alerts import rule_routes
from imagemill.api.alerts import views as shapes
from imagemill.api.alerts.service import AlertStores, alert_stores
from imagemill.api.web import forms
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services

_LIST = "/alerts/rules"


def add_to(blueprint: Blueprint) -> None:
    """Adds the routes."""
    for path, view, *methods in (
        (_LIST, rules_page),
        (_LIST, add_rule_form, "POST"),
        ("/alerts/new-rule", new_rule_page),
        ("/alerts/restore-rule", restore_rule_form, "POST"),
        ("/alerts/rules/<name>", rule_page),
        ("/alerts/rules/<name>", save_rule_form, "POST"),
        ("/alerts/rules/<name>/switch", switch_rule_form, "POST"),
        ("/alerts/rules/<name>/remove", remove_rule_form, "POST"),
        ("/alerts/snoozes/<snooze_id>/end", end_snooze_form, "POST"),
        ("/alerts/channels/<name>/test", test_channel_form, "POST"),
    ):
        blueprint.add_url_rule(path, view_func=view, methods=methods or ["GET"])


# --- the list -------------------------------------------------------------------------------------


def rules_page() -> str:
    """Rules, channels and snoozes."""
    return _list(saved=request.args.get("saved"))


def switch_rule_form(name: str) -> AnyResponse | str:
    """A rule on or off; all else of it stays."""
    found = alert_stores()
    rule = shapes.rule(rule_routes.rule_of(found, name))
    rule.pop("revision")
    try:
        rule_routes.written(found, rule | forms.flags("enabled"), name, forms.text("revision") or None)
    except Problem as problem:
        return Response(_list(problem=problem), problem.status, mimetype="text/html")
    return _to_list(name)


def remove_rule_form(name: str) -> AnyResponse | str:
    """Removes a rule, then the list, which offers to put it back."""
    found = alert_stores()
    try:
        gone = shapes.rule(rule_routes.removed(found, name, forms.text("revision") or None))
    except Problem as problem:
        return Response(_list(problem=problem), problem.status, mimetype="text/html")
    gone.pop("revision")
    return _list(removed=name, undo=json.dumps(gone))


def restore_rule_form() -> AnyResponse | str:
    """Puts a removed rule back."""
    try:
        given = json.loads(request.form.get("rule", ""))
        name = str(given["name"])
    except (ValueError, TypeError, KeyError):
        raise Problem(400, "bad-json", "The form holds no rule.") from None
    try:
        rule_routes.added(alert_stores(), given, name)
    except Problem as problem:
        return Response(_list(problem=problem), problem.status, mimetype="text/html")
    return _to_list(name)


def end_snooze_form(snooze_id: str) -> AnyResponse:
    """No more quiet."""
    alert_stores().snoozes.end(snooze_id, time.time())
    return redirect(_LIST, HTTPStatus.SEE_OTHER)


def test_channel_form(name: str) -> AnyResponse | str:
    """A sample over a channel, and what came of it."""
    try:
        came = rule_routes.tested(name)
    except Problem as problem:
        if problem.status != HTTPStatus.GATEWAY_TIMEOUT:
            raise
        came = {"ok": False, "answer": problem.detail}
    return _list(tested=name, ok=came["ok"], answer=came["answer"])


def _list(**happened: Any) -> str:
    found = alert_stores()
    known = found.rules.all()
    saved = happened.get("saved")
    channels = found.book.channels()
    return render_template(
        "alert_rules.html", rules=[shapes.rule(rule) | _durations(rule) for rule in known], channels=channels,
        snoozes=[shapes.snooze(named) for named in found.snoozes.lasting(time.time())], camera=None,
        channel_names=[channel["name"] for channel in channels],
        **happened | {"saved": next((rule for rule in known if rule.name == saved), None)},
    )  # fmt: skip


def _durations(rule: Rule) -> dict[str, str]:
    return {
        "cool_down": duration(rule.cool_down_seconds) if rule.cool_down_seconds else "",
        "period": duration(rule.period_seconds),
    }


# --- the form -------------------------------------------------------------------------------------


def new_rule_page() -> str:
    """The empty form, or with `like` a copy of a rule."""
    found = alert_stores()
    like = request.args.get("like")
    usual = rule_routes.rule_of(found, like) if like else Rule(name="-", timezone=services().settings.timezone)
    return _form(found, fields.shown(shapes.rule(usual)) | {"name": "", "revision": ""}, is_new=True, like=like)


def rule_page(name: str) -> str:
    """The form of a rule."""
    found = alert_stores()
    return _form(found, fields.shown(shapes.rule(rule_routes.rule_of(found, name))))


def add_rule_form() -> AnyResponse:
    """A new rule, then the list; what is wrong is said beside its field."""
    found = alert_stores()
    try:
        given = fields.given()
        return _to_list(rule_routes.added(found, given, given["name"]).name)
    except forms.WRONG as error:
        return _again(_form(found, fields.as_typed(), is_new=True, error=error), error)


def save_rule_form(name: str) -> AnyResponse:
    """A changed rule, then the list."""
    found = alert_stores()
    try:
        return _to_list(
            rule_routes.written(found, fields.given() | {"name": name}, name, forms.text("revision") or None).name
        )
    except forms.WRONG as error:
        typed = fields.as_typed() | {"name": name}
        if getattr(error, "code", "") != "changed-meanwhile":
            return _again(_form(found, typed, error=error), error)
        return _again(_overtaken(found, typed, name), error)


def _overtaken(found: AlertStores, typed: Mapping[str, Any], name: str) -> str:
    """The form with what was typed, over what somebody else has made of the rule: saved again, it counts."""
    now = found.rules.get(name)
    if now is None:
        gone = Problem(412, "changed-meanwhile", f"{name!r} was removed by somebody else meanwhile.")
        return _form(found, typed, is_new=True, error=gone)
    theirs = fields.differences(shapes.rule(now), fields.given() | {"name": name})
    changed = Problem(
        412, "changed-meanwhile", f"{name!r} was changed by somebody else meanwhile; nothing is saved yet."
    )
    return _form(found, {**typed, "revision": now.revision}, error=changed, theirs=theirs)


def _form(
    found: AlertStores, rule: Mapping[str, Any], is_new: bool = False, error: Exception | None = None, **more: Any
) -> str:
    return render_template(
        "rule.html", rule=rule, is_new=is_new, error=error, member=forms.member_of(error), classes=CLASSES,
        weekdays=WEEKDAYS, units=fields.UNITS, timezones=sorted(available_timezones()), **_choices(found), **more,
    )  # fmt: skip


def _choices(found: AlertStores) -> dict[str, list[tuple[str, str, str]]]:
    """What can be ticked: value, word, hint."""
    cameras = services().cameras.cameras.all()
    zones = {zone["name"] for camera in cameras.values() for zone in camera.motion.get("zones", ())}
    return {
        "cameras": [(camera.id, camera.name, camera.id) for _, camera in sorted(cameras.items())],
        "zones": [(zone, zone, "") for zone in sorted(zones)],
        "kinds": [(kind, WHAT[kind], "") for kind in KINDS],
        "channels": [(channel["name"], channel["name"], channel["kind"]) for channel in found.book.channels()],
    }


def _again(html: str, error: Exception) -> Response:
    return Response(html, forms.status_of(error), mimetype="text/html")


def _to_list(name: str) -> AnyResponse:
    return redirect(f"{_LIST}?saved={quote(name, safe='')}", HTTPStatus.SEE_OTHER)
