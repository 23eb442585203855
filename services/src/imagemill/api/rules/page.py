"""The pages of rules: the list with channels and snoozes, and the form of one."""

import contextlib
import json
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from imagemill.alerting.message import WHAT
from imagemill.alerting.words import duration
from imagemill.api.access.permissions import add_pages
from imagemill.api.alerts.service import alert_stores
from imagemill.api.alerts.snoozing import end_snooze
from imagemill.api.alerts.views import snooze_view
from imagemill.api.rules import forms
from imagemill.api.rules.channel_entries import KINDS as KINDS_OF_CHANNELS
from imagemill.api.rules.channel_entries import add_channel
from imagemill.api.rules.routes import rule_service
from imagemill.api.rules.views import rule_view
from imagemill.api.web.bodies import parse_object
from imagemill.api.web.forms import again, flags, text
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.api.web.search import alert_number
from imagemill.domain.access import Permission
from imagemill.domain.errors import ChangedMeanwhile, DomainError, NoAnswer
from imagemill.domain.rules import CLASSES, KINDS, WEEKDAYS, Rule

_LIST = "/alerts/rules"


def add_to(blueprint: Blueprint) -> None:
    """Add the routes."""
    add_pages(
        blueprint,
        (_LIST, rules_page, Permission.VIEW),
        (_LIST, add_rule_form, Permission.ADMINISTER, "POST"),
        ("/alerts/new-rule", new_rule_page, Permission.ADMINISTER),
        ("/alerts/restore-rule", restore_rule_form, Permission.ADMINISTER, "POST"),
        ("/alerts/rules/<name>", rule_page, Permission.ADMINISTER),
        ("/alerts/rules/<name>", save_rule_form, Permission.ADMINISTER, "POST"),
        ("/alerts/rules/<name>/switch", switch_rule_form, Permission.ADMINISTER, "POST"),
        ("/alerts/rules/<name>/remove", remove_rule_form, Permission.ADMINISTER, "POST"),
        ("/alerts/snoozes/<snooze_id>/end", end_snooze_form, Permission.OPERATE, "POST"),
        ("/alerts/channels", add_channel_form, Permission.ADMINISTER, "POST"),
        ("/alerts/channels/<name>/test", test_channel_form, Permission.ADMINISTER, "POST"),
    )


# --- the list -------------------------------------------------------------------------------------


def rules_page() -> str:
    """Show rules, channels and snoozes."""
    return _list(saved=request.args.get("saved"), added=request.args.get("channel"))


def switch_rule_form(name: str) -> AnyResponse | str:
    """Switch a rule on or off; all else of it stays."""
    service = rule_service()
    rule = service.rule(name).as_json()
    try:
        service.put_rule(name, rule | flags("enabled"), text("revision") or None)
    except DomainError as error:
        return again(_list(error=error), error)
    return _to_list(name)


def remove_rule_form(name: str) -> AnyResponse | str:
    """Remove a rule, then show the list, which offers to put it back."""
    try:
        gone = rule_service().remove_rule(name, text("revision") or None)
    except DomainError as error:
        return again(_list(error=error), error)
    return _list(removed=name, undo=json.dumps(gone.as_json()))


def restore_rule_form() -> AnyResponse | str:
    """Put a removed rule back."""
    given = parse_object(request.form.get("rule", ""))
    if given is None or "name" not in given:
        raise Problem(400, "bad-json", "The form holds no rule.")
    name = str(given["name"])
    try:
        rule_service().add_rule(name, given)
    except DomainError as error:
        return again(_list(error=error), error)
    return _to_list(name)


def end_snooze_form(snooze_id: str) -> AnyResponse:
    """End a snooze."""
    with contextlib.suppress(Problem):  # it has ended by itself
        end_snooze(alert_stores(), snooze_id)
    # Back to where one was.
    number = alert_number(text("alert"))
    return redirect(f"/alerts/{number}" if number else _LIST, HTTPStatus.SEE_OTHER)


def test_channel_form(name: str) -> AnyResponse | str:
    """Send a sample over a channel, and show what came of it."""
    try:
        test = rule_service().send_test(name)
    except NoAnswer as error:
        return _list(tested=name, ok=False, answer=str(error))
    return _list(tested=name, ok=test.ok, answer=test.answer)


def add_channel_form() -> AnyResponse:
    """Keep a channel; its address and secret are shown to nobody again, nor what was typed of them."""
    given = {name: text(name) for name in ("name", "kind", "address", "secret")}
    try:
        added = add_channel(_channels_file(), services().record, given)
    except DomainError as error:
        typed = {"name": given["name"], "kind": given["kind"]}
        return again(_list(error=error, typed=typed, member=error.member), error)
    return redirect(f"{_LIST}?channel={quote(added, safe='')}", HTTPStatus.SEE_OTHER)


def _channels_file() -> Path | None:
    """The file, if it may be written from here."""
    settings = services().settings
    return settings.channels_file if settings.secret_files_writable else None


def _list(**happened: Any) -> str:
    service = rule_service()
    known, channels = service.rules.all(), service.alerts.channels()
    saved = happened.get("saved")
    return render_template(
        "alert_rules.html", rules=[rule_view(rule) | _durations(rule) for rule in known], channels=channels,
        snoozes=[snooze_view(named) for named in alert_stores().snoozes.lasting(time.time())], camera=None,
        keeps_channels=_channels_file() is not None, channel_kinds=KINDS_OF_CHANNELS,
        channel_names=[channel.name for channel in channels],
        **happened | {"saved": next((rule for rule in known if rule.name == saved), None)},
    )  # fmt: skip


def _durations(rule: Rule) -> dict[str, str]:
    return {
        "cool_down": duration(rule.cool_down_seconds) if rule.cool_down_seconds else "",
        "period": duration(rule.period_seconds),
    }


# --- the form -------------------------------------------------------------------------------------


def new_rule_page() -> str:
    """Show the empty form, or with `like` a copy of a rule."""
    like = request.args.get("like")
    usual = rule_service().rule(like) if like else Rule(name="-", timezone=services().settings.timezone)
    return _form(forms.fields_of(usual) | {"name": "", "revision": ""}, is_new=True, like=like)


def rule_page(name: str) -> str:
    """Show the form of a rule."""
    return _form(forms.fields_of(rule_service().rule(name)))


def add_rule_form() -> AnyResponse:
    """Add a rule, then show the list; what is wrong is said beside its field."""
    try:
        given = forms.given()
        return _to_list(rule_service().add_rule(given["name"], given).name)
    except DomainError as error:
        return again(_form(forms.as_typed(), is_new=True, error=error), error)


def save_rule_form(name: str) -> AnyResponse:
    """Change a rule, then show the list."""
    try:
        return _to_list(rule_service().put_rule(name, forms.given(name), text("revision") or None).name)
    except ChangedMeanwhile as error:
        return again(_overtaken(forms.as_typed() | {"name": name}, name), error)
    except DomainError as error:
        return again(_form(forms.as_typed() | {"name": name}, error=error), error)


def _overtaken(typed: forms.Json, name: str) -> str:
    """Show what was typed over what somebody else has made of the rule: saved again, it counts."""
    now = rule_service().rules.get(name)
    if now is None:
        gone = ChangedMeanwhile("changed-meanwhile", f"{name!r} was removed by somebody else meanwhile.")
        return _form(typed, is_new=True, error=gone)
    sentence = f"{name!r} was changed by somebody else meanwhile; nothing is saved yet."
    changed = ChangedMeanwhile("changed-meanwhile", sentence)
    theirs = forms.differences(now, forms.given(name))
    return _form({**typed, "revision": now.revision}, error=changed, theirs=theirs)


def _form(rule: forms.Json, is_new: bool = False, error: DomainError | None = None, **more: Any) -> str:
    return render_template(
        "rule.html", rule=rule, is_new=is_new, error=error, member=error.member if error else "",
        mistakes=error.mistakes if error else {}, classes=CLASSES,
        weekdays=WEEKDAYS, units=forms.UNITS, timezones=sorted(available_timezones()), **_choices(), **more,
    )  # fmt: skip


def _choices() -> dict[str, list[tuple[str, str, str]]]:
    """List what can be ticked: value, word, hint."""
    cameras = services().cameras.cameras.all()
    zones = {zone.name for camera in cameras.values() for zone in camera.motion.zones}
    return {
        "cameras": [(camera.id, camera.name, camera.id) for _, camera in sorted(cameras.items())],
        "zones": [(zone, zone, "") for zone in sorted(zones)],
        "kinds": [(kind, WHAT[kind], "") for kind in KINDS],
        "channels": [(item.name, item.name, item.kind) for item in rule_service().alerts.channels()],
    }


def _to_list(name: str) -> AnyResponse:
    return redirect(f"{_LIST}?saved={quote(name, safe='')}", HTTPStatus.SEE_OTHER)
