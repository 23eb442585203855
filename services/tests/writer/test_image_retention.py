"""Images are erased by themselves when they are old enough for a rule, each once, and what is pinned stays."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import ValidationError

from imagemill.domain.erasures import Pin
from imagemill.domain.ids import floor_at, timestamp
from imagemill.domain.images import Job, Outcome
from imagemill.settings import Settings
from imagemill.store import ledger as ledger_module
from imagemill.store.couch import Couch
from imagemill.store.erasures import Erasures
from imagemill.store.leases import Lease
from imagemill.store.leases import prepare as prepare_leases
from imagemill.store.ledger import Ledger
from imagemill.writer.image_retention import ImageRetention, is_meant
from store.test_ledger import INFO

DAY = 86_400.0


class Installation:
    """A ledger with jobs of any age."""

    def __init__(self, couch: Couch, ledger: Ledger) -> None:
        self.couch, self.ledger, self.erasures = couch, ledger, Erasures(couch)
        prepare_leases(couch)
        self.number = 0

    def job(self, days: float, batch: str = "b", recipe: str = "gray", ended: bool = True) -> str:
        self.number += 1
        job = Job(
            id=floor_at(time.time() - days * DAY + self.number), batch=batch, name="n", recipe=recipe,
            recipe_steps="[]", recipe_digest="d", original=INFO, accepted_at=timestamp(), by="api",
        )  # fmt: skip
        self.ledger.accept([job], [], [])
        if ended:
            self.end(job.id, batch, recipe)
        return job.id

    def end(self, job_id: str, batch: str = "b", recipe: str = "gray") -> None:
        self.ledger.record_outcomes([Outcome(id=job_id, batch=batch, recipe=recipe, status="stored", result=INFO)])

    def round(self, **days: float) -> int:
        rules = {rule.replace("_", ":", 1): value for rule, value in days.items()}
        activity = cast(Any, SimpleNamespace(note=lambda *_, **__: None))
        lease = Lease(self.couch, "image-retention", "one", 30)
        return ImageRetention(self.couch, self.ledger, lease, activity, rules, grace_hours=24).round()

    def erased(self, *ids: str) -> list[bool]:
        found = self.erasures.of(ids)
        return [one in found for one in ids]


@pytest.fixture
def there(client: Couch, ledger: Ledger) -> Installation:
    return Installation(client, ledger)


def test_what_is_old_enough_for_its_rule_is_erased_once(there: Installation) -> None:
    old, young, other = there.job(9), there.job(3), there.job(9, recipe="webp")
    assert there.round(recipe_gray=7) == 1
    assert there.erased(old, young, other) == [True, False, False]
    erasure = there.erasures.of([old])[old]
    assert (erasure.by, erasure.note, erasure.state) == ("retention", "recipe:gray", "pending")
    assert there.round(recipe_gray=7) == 0
    assert there.round(batch_b=8) == 1
    assert there.erased(other) == [True]


def test_what_is_pinned_stays(there: Installation) -> None:
    one = there.job(9)
    there.erasures.pin(Pin(id=one, batch="b", at=timestamp(), by="me"))
    assert there.round(recipe_gray=7) == 0
    assert there.erased(one) == [False]


def test_what_was_taken_back_is_not_erased_again(there: Installation) -> None:
    one = there.job(9)
    assert there.round(recipe_gray=7) == 1
    assert there.erasures.undo([one], time.time()) == [one]
    assert there.round(recipe_gray=7) == 0


def test_one_that_is_in_flight_is_waited_for(there: Installation) -> None:
    first, flying, behind = there.job(9), there.job(9, ended=False), there.job(9)
    there.round(recipe_gray=7)
    assert there.erased(first, flying) == [True, False]
    there.end(flying)
    there.round(recipe_gray=7)
    assert there.erased(first, flying, behind) == [True, True, True]


def test_many_pages_are_gone_through(there: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "_PAGE", 2)
    ids = [there.job(9) for _ in range(5)]
    there.round(recipe_gray=7)
    assert all(there.erased(*ids))


@pytest.mark.parametrize(
    ("rule", "meant"),
    [("recipe:gray", True), ("recipe:gra*", False), ("batch:tmp-*", True), ("batch:tmp", False), ("batch:*", True)],
)
def test_rules_are_for_recipes_and_batches(rule: str, meant: bool) -> None:
    assert is_meant(rule, cast(Job, SimpleNamespace(batch="tmp-7", recipe="gray"))) is meant


@pytest.mark.parametrize("rules", [{"gray": 1}, {"recipe:": 1}, {"recipe:gray": 0}, {"source:a": 1}])
def test_rules_that_are_none_are_refused(rules: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Settings(image_retention_days=rules)
