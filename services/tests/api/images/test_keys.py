"""Idempotency keys: the same key for the same picture and recipe is the same id, and never another's."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.api.images.identity import Identities, Identity
from imagemill.domain.ids import floor_at, is_uuid, made_at, uuid7
from imagemill.domain.keys import derived_id, is_key, is_recent, key_of_file
from imagemill.store.couch import Couch
from imagemill.store.ledger import Ledger

NOW = 1_790_000_000.0
OTHER_KEYS = ["invoice-17", str(uuid.UUID(int=4 << 76 | 2 << 62)), "0"]


@pytest.fixture
def identities(couchdb_url: str, couchdb_prefix: str) -> Identities:
    ledger = Ledger(Couch(couchdb_url, couchdb_prefix.rstrip("-")))
    ledger.prepare()
    return Identities(ledger, clock=lambda: NOW)


@given(st.floats(0, 2**40), st.text(max_size=20))
def test_a_derived_id_has_the_keys_time_and_depends_on_the_purpose(at_seconds: float, purpose: str) -> None:
    key = floor_at(at_seconds)
    made = derived_id(key, purpose)
    assert made is not None
    assert is_uuid(made)
    assert made[14] == "7"
    assert made_at(made) == made_at(key)
    assert made == derived_id(key, purpose)
    assert made != derived_id(key, purpose + "x")


@pytest.mark.parametrize("text", ["", "a b", "é", "a" * 201, "\n"])
def test_what_cannot_be_a_key_is_none(text: str) -> None:
    assert not is_key(text)


@pytest.mark.parametrize(("age_seconds", "recent"), [(0, True), (239, True), (241, False), (-9, True), (-11, False)])
def test_a_key_is_recent_by_a_clock_like_ours_only(age_seconds: float, recent: bool) -> None:
    assert is_recent(floor_at(NOW - age_seconds), NOW) is recent


def test_without_a_key_every_id_is_new(identities: Identities) -> None:
    assert len(set(identities.ids([Identity(None, "gray")] * 5))) == 5


@pytest.mark.parametrize("key", [floor_at(NOW - 1), floor_at(NOW - 86_400), floor_at(NOW + 3600), *OTHER_KEYS])
def test_the_same_key_is_the_same_id_whatever_key_it_is(identities: Identities, key: str) -> None:
    wanted = [
        Identity(key, "gray"),
        Identity(key, "edges"),
        Identity(None, "gray"),
        Identity(key_of_file(key, 1), "gray"),
    ]
    first, second = identities.ids(wanted), identities.ids(wanted)
    assert len(set(first)) == 4
    assert [first[0], first[1], first[3]] == [second[0], second[1], second[3]]
    assert first[2] != second[2]
    assert identities.batch(key) == identities.batch(key) != identities.batch(uuid7())


@pytest.mark.parametrize("key", [floor_at(NOW - 86_400), floor_at(NOW + 3600), *OTHER_KEYS])
def test_an_id_is_never_of_another_time_than_now(identities: Identities, key: str) -> None:
    # Re-drive and the lists go by the time in the id.
    (made,) = identities.ids([Identity(key, "gray")])
    assert is_recent(made, made_at(uuid7()))
