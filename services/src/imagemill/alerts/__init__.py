"""Which events become alerts, their numbers, who is told and how: decisions without I/O."""

from imagemill.alerts.judge import Candidate, History, PastAlert, Snooze, Verdict, candidate_of, judge
from imagemill.alerts.numbering import Store, number_for
from imagemill.alerts.rules import Rule, RuleError, parse_rule, rule_as_dict
from imagemill.alerts.signature import SignatureError, sign, verify
from imagemill.alerts.webhook import build_request

__all__ = [
    "Candidate",
    "History",
    "PastAlert",
    "Rule",
    "RuleError",
    "SignatureError",
    "Snooze",
    "Store",
    "Verdict",
    "build_request",
    "candidate_of",
    "judge",
    "number_for",
    "parse_rule",
    "rule_as_dict",
    "sign",
    "verify",
]
