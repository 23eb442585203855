"""Who reads what: decided by each reader for itself, without two deciding against each other."""

from hypothesis import given
from hypothesis import strategies as st

from imagemill.camera.assignment import Assignment, plan

CAPACITY = 10


def settle(capacities: dict[str, int], holders: dict[str, str | None], rounds: int = 4) -> dict[str, str | None]:
    """Everybody decides from the same view and then acts, again and again."""
    for _ in range(rounds):
        decided = {reader: plan(reader, capacities, holders) for reader in capacities}
        after = dict(holders)
        for decision in decided.values():
            after.update(dict.fromkeys(decision.give_up, None))
        for reader, decision in decided.items():
            for camera in decision.take:
                assert after[camera] is None or after[camera] not in capacities, f"{camera} is taken twice"
                after[camera] = reader
        holders = after
    return holders


def counts(capacities: dict[str, int], holders: dict[str, str | None]) -> list[int]:
    return [sum(holder == reader for holder in holders.values()) for reader in sorted(capacities)]


def test_a_single_reader_takes_what_it_can_and_says_what_is_left() -> None:
    free = {f"cam-{number:02}": None for number in range(12)}
    assert plan("a", {"a": CAPACITY}, free) == Assignment(
        take=tuple(f"cam-{number:02}" for number in range(10)), nobody=("cam-10", "cam-11")
    )


def test_a_reader_that_is_added_gets_its_share_in_two_rounds() -> None:
    before: dict[str, str | None] = {f"cam-{number}": "a" for number in range(6)}
    assert plan("b", {"a": CAPACITY, "b": CAPACITY}, before) == Assignment()
    assert len(plan("a", {"a": CAPACITY, "b": CAPACITY}, before).give_up) == 3
    assert counts({"a": 1, "b": 1}, settle({"a": CAPACITY, "b": CAPACITY}, before, rounds=2)) == [3, 3]


def test_cameras_of_a_reader_that_is_gone_are_shared_out() -> None:
    before: dict[str, str | None] = {"1": "a", "2": "a", "3": "gone", "4": "gone"}
    assert counts({"a": 1, "b": 1}, settle({"a": CAPACITY, "b": CAPACITY}, before)) == [2, 2]


def test_one_camera_more_than_another_is_no_reason_to_move() -> None:
    before: dict[str, str | None] = {"1": "a", "2": "a", "3": "b"}
    assert plan("a", {"a": CAPACITY, "b": CAPACITY}, before) == Assignment()


def test_a_full_reader_is_not_given_more_to_be_fair() -> None:
    before: dict[str, str | None] = {str(number): "big" for number in range(6)} | {"x": "small"}
    assert plan("big", {"big": CAPACITY, "small": 1}, before) == Assignment()


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 8), min_size=1),
    st.dictionaries(st.integers(0, 20).map(str), st.sampled_from(["a", "b", "c", "d", "e", None])),
)
def test_it_settles_evenly_and_stays(capacities: dict[str, int], holders: dict[str, str | None]) -> None:
    settled = settle(capacities, holders)
    assert settle(capacities, settled, rounds=1) == settled
    loads = counts(capacities, settled)
    assert all(load <= capacities[reader] for load, reader in zip(loads, sorted(capacities), strict=True))
    assert sum(loads) == min(len(settled), sum(capacities.values()))
    room = [load for load, reader in zip(loads, sorted(capacities), strict=True) if load < capacities[reader]]
    assert not room or max(loads) - min(room) <= 1
