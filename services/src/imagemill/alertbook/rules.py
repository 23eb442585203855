"""Rules as documents, which people edit."""

import structlog

from imagemill.alerts import Rule, parse_rule, rule_as_dict
from imagemill.couch import Conflict, Couch, Document

log = structlog.get_logger(__name__)

DATABASE = "alerts"
MOST_RULES = 200
_PREPARED = "prepared"
# An installation that was never told anything still gives numbers: every event of the class alert, telling nobody.
FIRST_RULE = Rule(name="everything")


class RuleStore:
    """The rules. A write names no revision: the last one wins, and a rule is small enough to be sent whole."""

    def __init__(self, couch: Couch) -> None:
        self._database = couch.database(DATABASE)

    def prepare(self) -> None:
        """Creates the database, and with it a first rule; one that was deleted does not come back."""
        self._database.create()
        try:
            self._database.put({"_id": _PREPARED})
        except Conflict:
            return
        self.put(FIRST_RULE)

    def all(self) -> list[Rule]:
        """Every rule, by name; one that is not understood is left out, and the log says so."""
        documents = self._database.documents("rule:", "rule:\ufff0", MOST_RULES)
        return [rule for rule in map(_rule_or_none, documents) if rule is not None]

    def get(self, name: str) -> Rule | None:
        """A rule, None when there is none."""
        document = self._database.get(_id(name))
        return _rule(document) if document else None

    def put(self, rule: Rule) -> None:
        """Writes a rule, over one of the same name. Raises Conflict when somebody else writes it just now."""
        known = self._database.get(_id(rule.name))
        revision = {"_rev": known["_rev"]} if known else {}
        self._database.put({"_id": _id(rule.name), "type": "rule", **rule_as_dict(rule), **revision})

    def remove(self, name: str) -> bool:
        """Deletes a rule; False when there is none."""
        known = self._database.get(_id(name))
        if known:
            self._database.remove(known["_id"], known["_rev"])
        return known is not None


def _id(name: str) -> str:
    return f"rule:{name}"


def _rule_or_none(document: Document) -> Rule | None:
    try:
        return _rule(document)
    except (ValueError, TypeError) as error:
        log.error("a rule is not understood and does not count", rule=document["_id"], error=str(error))
        return None


def _rule(document: Document) -> Rule:
    return parse_rule({key: value for key, value in document.items() if key not in ("_id", "_rev", "type")})
