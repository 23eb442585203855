"""Rules, and the channels they tell."""

import time
from typing import Any

from flask import Blueprint, Response, jsonify

from imagemill.alerts import Rule, parse_rule
from imagemill.api import alert_shapes as shapes
from imagemill.api.alert_desk import AlertDesk, desk, given
from imagemill.api.problems import Problem
from imagemill.api.serving import services
from imagemill.channel_tests import answer_id, request_message
from imagemill.couch import Conflict
from imagemill.ids import timestamp, uuid7
from imagemill.names_of_channels import is_channel_name

blueprint = Blueprint("rules", __name__)
_TEST_SECONDS = 20.0
_POLL_SECONDS = 0.2
_MOST_NAME = 100


@blueprint.get("/api/v1/rules")
def list_rules() -> Response:
    """All of them, by name."""
    return jsonify({"rules": [shapes.rule(rule) for rule in desk().rules.all()]})


@blueprint.get("/api/v1/rules/<name>")
def get_rule(name: str) -> Response:
    """One rule."""
    return jsonify(shapes.rule(rule_of(desk(), name)))


@blueprint.put("/api/v1/rules/<name>")
def put_rule(name: str) -> Response:
    """Writes a rule, new or over the one of this name."""
    rule = written(desk(), {"name": name} | given(), name)
    return jsonify(shapes.rule(rule))


@blueprint.delete("/api/v1/rules/<name>")
def delete_rule(name: str) -> Response:
    """Deletes a rule; its alerts stay."""
    if not desk().rules.remove(name):
        raise _unknown(name)
    return Response(status=204)


@blueprint.get("/api/v1/channels")
def list_channels() -> Response:
    """Their names and kinds; addresses and secrets are known to the alerter alone."""
    channels = [{"name": item["name"], "kind": item["kind"]} for item in desk().book.channels()]
    return jsonify({"channels": channels})


@blueprint.post("/api/v1/channels/<name>/test")
def test_channel(name: str) -> Response:
    """Sends a sample over a channel, and tells what came of it."""
    return jsonify(tested(name))


def tested(name: str) -> dict[str, Any]:
    """What came of a sample sent over a channel; raises Problem."""
    found = desk()
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


def rule_of(found: AlertDesk, name: str) -> Rule:
    """A rule; raises Problem."""
    rule = found.rules.get(name)
    if rule is None:
        raise _unknown(name)
    return rule


def written(found: AlertDesk, body: dict[str, Any], name: str) -> Rule:
    """Checks and writes a rule; raises Problem."""
    try:
        rule = parse_rule(body)
        if rule.name != name or len(name) > _MOST_NAME or "/" in name or not name.isprintable():
            raise ValueError(f"its name must be that of the address, at most {_MOST_NAME} characters without '/'")
        for channel in rule.channels:
            if not is_channel_name(channel):
                raise ValueError(f"{channel!r} cannot be the name of a channel")
    except (ValueError, TypeError) as error:
        raise Problem(422, "bad-rule", f"The rule cannot be saved: {error}.") from error
    try:
        found.rules.put(rule)
    except Conflict:
        raise Problem(409, "rule-changed", f"The rule {name!r} was changed at the same moment; try again.") from None
    return rule


def _unknown(name: str) -> Problem:
    return Problem(404, "unknown-rule", f"There is no rule {name!r}.")
