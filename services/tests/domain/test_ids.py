import uuid

from hypothesis import given
from hypothesis import strategies as st

from imagemill.domain.ids import floor_at, is_batch_name, is_source_name, is_uuid, made_at, timestamp, uuid7


def test_ids_of_one_process_rise_and_never_repeat() -> None:
    ids = [uuid7() for _ in range(20_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_an_id_is_a_version_7_uuid_and_tells_its_time() -> None:
    made = uuid7()
    assert uuid.UUID(made).version == 7
    assert uuid.UUID(made).variant == uuid.RFC_4122
    assert floor_at(made_at(made)) <= made < floor_at(made_at(made) + 0.001)


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_ranges_of_ids_are_ranges_of_time(a: float, b: float) -> None:
    assert (floor_at(a) <= floor_at(b)) == (round(a * 1000) <= round(b * 1000))


def test_only_canonical_ids_and_plain_batch_names_are_taken() -> None:
    assert is_uuid(uuid7())
    assert not is_uuid(uuid7().upper())
    assert not is_uuid("x")
    assert is_batch_name("holiday-2026.v1")
    assert not any(map(is_batch_name, ("", "../x", "a b", "x" * 101, ".hidden")))
    assert is_source_name("yard-2_left.v1")
    assert not any(map(is_source_name, ("", "..", "door/1", "a\nb", "a\n", "a b", "x" * 101, "tür")))


def test_timestamps_are_utc_with_milliseconds() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
