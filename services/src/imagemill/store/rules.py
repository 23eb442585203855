"""Rules as documents, which people edit."""

import structlog

from imagemill.domain.errors import Invalid
from imagemill.domain.rules import Rule
from imagemill.store.couch import Conflict, Couch, Document

log = structlog.get_logger(__name__)

DATABASE = "alerts"
MOST_RULES = 200
_PREPARED = "prepared"
# An installation that was never told anything still gives numbers: every event of the class alert, telling nobody.
FIRST_RULE = Rule(name="everything")


class RuleStore:
    """The rules. Every method may raise StoreUnavailable."""

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
        """A rule, None when there is none that is understood."""
        document = self._database.get(_id(name))
        return _rule_or_none(document) if document else None

    def add(self, rule: Rule) -> Rule:
        """Writes a new rule; raises Conflict when there is one of its name."""
        return rule.model_copy(update={"revision": self._database.put(_document(rule))})

    def put(self, rule: Rule) -> Rule:
        """Writes over the rule's revision, or, if it has none, over whatever is there.

        Raises Conflict when it was changed meanwhile.
        """
        known = None if rule.revision else self._database.get(_id(rule.name))
        revision = rule.revision or (known["_rev"] if known else "")
        document = _document(rule) | ({"_rev": revision} if revision else {})
        return rule.model_copy(update={"revision": self._database.put(document)})

    def remove(self, rule: Rule) -> None:
        """Deletes its revision; raises Conflict when it was changed meanwhile."""
        self._database.remove(_id(rule.name), rule.revision)


def _id(name: str) -> str:
    return f"rule:{name}"


def _document(rule: Rule) -> Document:
    return {"_id": _id(rule.name), "type": "rule", **rule.as_json()}


def _rule_or_none(document: Document) -> Rule | None:
    members = {key: value for key, value in document.items() if key not in ("_id", "_rev", "type")}
    try:
        return Rule.parse(members | {"revision": document["_rev"]})
    except Invalid as error:
        log.error("a rule is not understood and does not count", rule=document["_id"], error=str(error))
        return None
