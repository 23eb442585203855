"""Alerts in CouchDB: numbers, rules, attempts to tell people, acknowledgements and snoozes, in one database."""

from imagemill.alertbook.book import AlertBook, AlertPage
from imagemill.alertbook.quiet import Snoozes
from imagemill.alertbook.rules import RuleStore

__all__ = ["AlertBook", "AlertPage", "RuleStore", "Snoozes"]
