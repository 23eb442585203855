"""The journal goes on, whatever one record is."""

import json
import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from imagemill.domain.activity import Record
from imagemill.journal.__main__ import Journal
from imagemill.store import activity_log
from imagemill.store.couch import StoreUnavailable, Unstorable

AT = "2026-11-20T12:00:00.000Z"


class Message:
    def __init__(self, *kinds: str) -> None:
        self.body = json.dumps([{"kind": kind, "at": AT} for kind in kinds]).encode()
        self.settled = False

    def ack(self) -> None:
        self.settled = True


def test_a_record_that_couchdb_never_takes_is_dropped_and_those_around_it_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[Any] = []
    away = [StoreUnavailable("away for a moment")]

    def write(_couch: object, records: Iterable[Record]) -> None:
        if away:
            raise away.pop()
        wanted = list(records)
        if any(record["kind"] == "bad" for record in wanted):
            raise Unstorable("CouchDB refuses it: too large")
        kept.extend(record["kind"] for record in wanted)

    monkeypatch.setattr(activity_log, "write", write)
    messages = [Message("a", "bad"), Message("bad", "b")]
    Journal(cast(Any, SimpleNamespace()), threading.Event()).handle(cast(Any, messages))
    assert kept == ["a", "b"]
    assert all(message.settled for message in messages)
