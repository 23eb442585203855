"""Rules, and the channels they notify, over HTTP."""

from flask import Blueprint, Response, jsonify, request

from imagemill.api.access.permissions import needs
from imagemill.api.rules.service import RuleService
from imagemill.api.rules.views import channel_test_view, channel_view, rule_view
from imagemill.api.web.bodies import optional_body
from imagemill.api.web.preconditions import seen_revision
from imagemill.api.web.responses import services
from imagemill.domain.access import Permission
from imagemill.domain.rules import Rule
from imagemill.store.alerts import AlertStore
from imagemill.store.rules import RuleStore

blueprint = Blueprint("rules", __name__)


def rule_service() -> RuleService:
    """Make the service of the running app."""
    mill = services()
    return RuleService(RuleStore(mill.stores.couch), AlertStore(mill.stores.couch), mill.broker, mill.record)


@blueprint.get("/api/v1/rules")
@needs(Permission.VIEW)
def list_rules() -> Response:
    """List all rules, by name."""
    return jsonify({"rules": [rule_view(rule) for rule in rule_service().rules.all()]})


@blueprint.get("/api/v1/rules/<name>")
@needs(Permission.VIEW)
def get_rule(name: str) -> Response:
    """Show a rule; the ETag is its revision."""
    return _answer(rule_service().rule(name))


@blueprint.put("/api/v1/rules/<name>")
@needs(Permission.ADMINISTER)
def put_rule(name: str) -> Response:
    """Write a rule: over the revision which the client has seen, as a new one, or over whatever is there."""
    body = {"name": name} | optional_body()
    revision = seen_revision("rule", body.pop("revision", None), required=False)
    if "*" in request.if_none_match:
        return _answer(rule_service().add_rule(name, body))
    return _answer(rule_service().put_rule(name, body, revision))


@blueprint.delete("/api/v1/rules/<name>")
@needs(Permission.ADMINISTER)
def delete_rule(name: str) -> Response:
    """Delete a rule; its alerts stay."""
    rule_service().remove_rule(name, seen_revision("rule", required=False))
    return Response(status=204)


@blueprint.get("/api/v1/channels")
@needs(Permission.VIEW)
def list_channels() -> Response:
    """List names and kinds of channels; addresses and secrets are known to the alerter alone."""
    return jsonify({"channels": [channel_view(channel) for channel in rule_service().alerts.channels()]})


@blueprint.post("/api/v1/channels/<name>/test")
@needs(Permission.ADMINISTER)
def test_channel(name: str) -> Response:
    """Send a sample over a channel, and show what came of it."""
    return jsonify(channel_test_view(rule_service().send_test(name)))


def _answer(rule: Rule) -> Response:
    response = jsonify(rule_view(rule))
    response.set_etag(rule.revision)
    return response
