"""What can be done with rules and the channels that they notify. It knows no HTTP."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagemill.api.access.audit import Recorder
from imagemill.domain.alerts import ChannelTest
from imagemill.domain.channel_names import is_channel_name
from imagemill.domain.errors import AlreadyExists, ChangedMeanwhile, Invalid, NoAnswer, NotFound, changed_meanwhile
from imagemill.domain.ids import uuid7
from imagemill.domain.rules import Rule
from imagemill.store.alerts import AlertStore
from imagemill.store.couch import Conflict
from imagemill.store.rules import MOST_RULES, RuleStore
from imagemill.wire.broker import Broker
from imagemill.wire.channel_tests import ChannelTestRequest, request_message

_TEST_SECONDS = 20.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class RuleService:
    """Every method may raise StoreUnavailable."""

    rules: RuleStore
    alerts: AlertStore
    broker: Broker
    record: Recorder

    def rule(self, name: str) -> Rule:
        """Read a rule; raises NotFound."""
        rule = self.rules.get(name)
        if rule is None:
            raise NotFound("unknown-rule", f"There is no rule {name!r}.")
        return rule

    def add_rule(self, name: str, given: Mapping[str, Any]) -> Rule:
        """Save a new rule from its JSON form; raises Invalid, or ChangedMeanwhile when there is one of its name."""
        rule = _checked(given, name)
        self._refuse_too_many()
        try:
            saved = self.rules.add(rule)
        except Conflict:
            sentence = f"There is a rule {name!r} already; change that one, or give this one another name."
            raise ChangedMeanwhile("rule-exists", sentence, "name") from None
        self.record("rule.add", name, after=saved.as_json())
        return saved

    def put_rule(self, name: str, given: Mapping[str, Any], revision: str | None) -> Rule:
        """Save a rule over a revision (None: over whatever is there, or new).

        Raises Invalid, ChangedMeanwhile, or AlreadyExists when another was saved at the same moment.
        """
        rule = _checked({**given, "revision": revision or ""}, name)
        before = self.rules.get(name)
        if revision is None and before is None:
            self._refuse_too_many()
        try:
            saved = self.rules.put(rule)
        except Conflict:
            if revision:
                raise changed_meanwhile(name) from None
            sentence = f"The rule {name!r} was changed at the same moment; try again."
            raise AlreadyExists("rule-changed", sentence) from None
        self.record(
            "rule.change" if before else "rule.add", name, before.as_json() if before else None, saved.as_json()
        )
        return saved

    def remove_rule(self, name: str, revision: str | None) -> Rule:
        """Remove a revision of a rule (None: the newest), and return what it was; raises ChangedMeanwhile."""
        rule = self.rule(name)
        if revision not in (None, rule.revision):
            raise changed_meanwhile(name)
        try:
            self.rules.remove(rule)
        except Conflict:
            raise changed_meanwhile(name) from None
        self.record("rule.remove", name, before=rule.as_json())
        return rule

    def send_test(self, channel: str) -> ChannelTest:
        """Have a sample sent over a channel, and wait for what comes of it; raises NotFound or NoAnswer."""
        if channel not in {known.name for known in self.alerts.channels()} or not is_channel_name(channel):
            raise NotFound("unknown-channel", f"There is no channel {channel!r}; channels are in the alerter's file.")
        identifier = uuid7()
        self.record("channel.test", channel)
        self.broker.publish(request_message(ChannelTestRequest(id=identifier, channel=channel)))
        deadline = time.monotonic() + _TEST_SECONDS
        while time.monotonic() < deadline:
            answer = self.alerts.channel_test(identifier)
            if answer:
                return answer
            time.sleep(_POLL_SECONDS)  # the answer is a document that the alerter writes
        raise NoAnswer("no-answer", f"No alerter has tested {channel!r} within {_TEST_SECONDS:.0f} s; does one run?")

    def _refuse_too_many(self) -> None:
        """Those beyond the limit would not count, and nobody would know."""
        if len(self.rules.all()) >= MOST_RULES:
            raise Invalid("bad-rule", f"There are {MOST_RULES} rules, as many as can be; remove one before.")


def _checked(given: Mapping[str, Any], name: str) -> Rule:
    try:
        rule = Rule.parse(given)
        if rule.name != name:
            raise Invalid("bad-rule", f"its name is {name!r} and stays so; add a new rule instead", "name")
        for channel in rule.channels:
            if not is_channel_name(channel):
                raise Invalid("bad-rule", f"{channel!r} cannot be the name of a channel", "channels")
    except Invalid as error:
        raise Invalid("bad-rule", f"The rule cannot be saved: {error}.", error.member, error.mistakes) from error
    return rule
