"""Rules, and the channels they tell."""

import time
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, request

from imagemill.alerting.rules import Rule, RuleError, parse_rule
from imagemill.api.alerts import views as shapes
from imagemill.api.alerts.service import AlertStores, alert_stores, given
from imagemill.api.web.preconditions import changed_meanwhile, seen_revision
from imagemill.api.web.problems import Problem
from imagemill.api.web.responses import services
from imagemill.domain.channel_names import is_channel_name
from imagemill.domain.ids import timestamp, uuid7
from imagemill.store.couch import Conflict
from imagemill.store.rules import MOST_RULES
from imagemill.wire.channel_tests import answer_id, request_message

blueprint = Blueprint("rules", __name__)
_TEST_SECONDS = 20.0
_POLL_SECONDS = 0.2


@blueprint.get("/api/v1/rules")
def list_rules() -> Response:
    """All of them, by name."""
    return jsonify({"rules": [shapes.rule(rule) for rule in alert_stores().rules.all()]})


@blueprint.get("/api/v1/rules/<name>")
def get_rule(name: str) -> Response:
    """One rule; the ETag is its revision."""
    return _told(rule_of(alert_stores(), name))


@blueprint.put("/api/v1/rules/<name>")
def put_rule(name: str) -> Response:
    """Writes a rule: over the revision which the client has seen, as a new one, or over whatever is there."""
    body = {"name": name} | given()
    revision = seen_revision("rule", body.pop("revision", None), required=False)
    if "*" in request.if_none_match:
        return _told(added(alert_stores(), body, name))
    return _told(written(alert_stores(), body, name, revision))


@blueprint.delete("/api/v1/rules/<name>")
def delete_rule(name: str) -> Response:
    """Deletes a rule; its alerts stay."""
    removed(alert_stores(), name, seen_revision("rule", required=False))
    return Response(status=204)


@blueprint.get("/api/v1/channels")
def list_channels() -> Response:
    """Their names and kinds; addresses and secrets are known to the alerter alone."""
    channels = [{"name": item["name"], "kind": item["kind"]} for item in alert_stores().book.channels()]
    return jsonify({"channels": channels})


@blueprint.post("/api/v1/channels/<name>/test")
def test_channel(name: str) -> Response:
    """Sends a sample over a channel, and tells what came of it."""
    return jsonify(tested(name))


def tested(name: str) -> dict[str, Any]:
    """What came of a sample sent over a channel; raises Problem."""
    found = alert_stores()
    if name not in {item["name"] for item in found.book.channels()} or not is_channel_name(name):
        raise Problem(404, "unknown-channel", f"There is no channel {name!r}; channels are in the alerter's file.")
    identifier = uuid7()
    services().broker.publish(request_message(identifier, name))
    deadline = time.monotonic() + _TEST_SECONDS
    while time.monotonic() < deadline:
        document = found.book.get(answer_id(identifier))
        if document:
            told = {member: document[member] for member in ("channel", "ok", "status", "answer")}
            return told | {"at": timestamp(document["at"])}
        time.sleep(_POLL_SECONDS)  # the answer is a document that the alerter writes
    raise Problem(504, "no-answer", f"No alerter has tested {name!r} within {_TEST_SECONDS:.0f} s; does one run?")


# --- also for the page ----------------------------------------------------------------------------


def rule_of(found: AlertStores, name: str) -> Rule:
    """A rule; raises Problem."""
    rule = found.rules.get(name)
    if rule is None:
        raise Problem(404, "unknown-rule", f"There is no rule {name!r}.")
    return rule


def checked(body: dict[str, Any], name: str) -> Rule:
    """A rule from its JSON form; raises Problem."""
    try:
        rule = parse_rule(body)
        if rule.name != name:
            raise RuleError("name", f"its name is {name!r} and stays so; add a new rule instead")
        for channel in rule.channels:
            if not is_channel_name(channel):
                raise RuleError("channels", f"{channel!r} cannot be the name of a channel")
    except RuleError as error:
        raise Problem(422, "bad-rule", f"The rule cannot be saved: {error}.", member=error.member) from error
    return rule


def added(found: AlertStores, body: dict[str, Any], name: str) -> Rule:
    """A rule from its JSON form, saved as a new one; raises Problem."""
    rule = checked(body, name)
    _refuse_too_many(found)
    try:
        return found.rules.add(rule)
    except Conflict:
        detail = f"There is a rule {name!r} already; change that one, or give this one another name."
        raise Problem(412, "rule-exists", detail, member="name") from None


def written(found: AlertStores, body: dict[str, Any], name: str, revision: str | None) -> Rule:
    """A rule from its JSON form, saved over a revision (None: over whatever is there, or new); raises Problem."""
    rule = checked(body, name)
    if revision is None and found.rules.get(name) is None:
        _refuse_too_many(found)
    try:
        return found.rules.put(replace(rule, revision=revision or ""))
    except Conflict:
        if revision:
            raise changed_meanwhile(name) from None
        detail = f"The rule {name!r} was changed at the same moment; try again."
        raise Problem(409, "rule-changed", detail) from None


def removed(found: AlertStores, name: str, revision: str | None) -> Rule:
    """Removes a revision of a rule (None: the newest), and tells what it was; raises Problem."""
    rule = rule_of(found, name)
    if revision not in (None, rule.revision):
        raise changed_meanwhile(name)
    try:
        found.rules.remove(rule)
    except Conflict:
        raise changed_meanwhile(name) from None
    return rule


def _refuse_too_many(found: AlertStores) -> None:
    """Those beyond the limit would not count, and nobody would know."""
    if len(found.rules.all()) >= MOST_RULES:
        raise Problem(422, "bad-rule", f"There are {MOST_RULES} rules, as many as can be; remove one before.")


def _told(rule: Rule) -> Response:
    response = jsonify(shapes.rule(rule))
    response.set_etag(rule.revision)
    return response
