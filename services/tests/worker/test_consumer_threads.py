"""What a worker's threads tell of the pictures which they take."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from imagemill.worker import consumer_threads
from imagemill.worker.consumer_threads import ConsumerThreads


def test_a_picture_without_original_is_told_to_be_done_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the worker would seem to be at work on it until it is forgotten."""
    told: list[str] = []

    def missing(*_: object) -> bytes:
        raise LookupError("It is gone.")

    monkeypatch.setattr(consumer_threads, "original_of", missing)
    runner = SimpleNamespace(taken=lambda _: None, failed=lambda *of: of[2])
    stores = SimpleNamespace(ledger=None, couch=SimpleNamespace(database=lambda _: None))
    activity = SimpleNamespace(note=lambda kind, *_, **__: told.append(kind))
    parts = cast("Any", (runner, None, stores, None, activity))
    threads = ConsumerThreads(*parts, threads=1, crash_limit=2, purges=cast("Any", None))
    item = SimpleNamespace(attempt=1, job=SimpleNamespace(id="i", name="a.png", batch=None, recipe="gray"))
    assert threads._finished(cast("Any", None), cast("Any", item)) == cast("Any", "original-missing")
    assert told == ["taken", "done"]
