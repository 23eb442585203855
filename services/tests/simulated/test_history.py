"""What one system that keeps its word cannot have told."""

from chaos.history import Told, changed_outcomes, falling_totals, forgotten, two_ids_of_a_key, unreadable


def told(started: float, ended: float, answer: object, about: str = "a") -> Told:
    return Told(started, ended, about, answer)


def test_a_key_has_one_job() -> None:
    assert two_ids_of_a_key([told(0, 1, "job"), told(2, 3, "job"), told(2, 3, "another", "b")]) == []
    assert two_ids_of_a_key([told(0, 1, "job"), told(2, 3, "another")]) == [
        "the key a is the job job and the job another"
    ]


def test_what_was_accepted_is_known_from_then_on() -> None:
    taken = [told(0, 1, "a", "key")]
    assert forgotten(taken, [told(0.5, 2, ("unknown", "404")), told(2, 3, ("accepted", ""))]) == []
    assert forgotten(taken, [told(1.5, 2, ("unknown", "404"))]) == ["a is not known, 0.500 s after it was accepted"]
    # It was told twice that it is; it has to be known after the first.
    again = [told(0, 1, "a", "key"), told(4, 5, "a", "key")]
    assert len(forgotten(again, [told(2, 3, ("unknown", "404"))])) == 1


def test_an_outcome_stays_what_it_was() -> None:
    stored, failed, accepted = ("stored", "5e"), ("failed", "not-an-image"), ("accepted", "")
    assert changed_outcomes([told(0, 1, accepted), told(2, 3, stored), told(4, 5, stored)]) == []
    assert changed_outcomes([told(0, 1, stored), told(2, 3, failed)]) == [f"a was {stored!r} and then {failed!r}"]
    assert changed_outcomes([told(0, 1, stored), told(2, 3, accepted)]) == [f"a was {stored!r} and then {accepted!r}"]
    assert changed_outcomes([told(0, 1, stored), told(2, 3, ("stored", "another"))])


def test_answers_that_overlap_may_come_in_either_order() -> None:
    assert changed_outcomes([told(0, 2, ("stored", "5e")), told(1, 3, ("accepted", ""))]) == []
    assert changed_outcomes([told(0, 1, ("stored", "5e")), told(2, 3, ("accepted", ""), "b")]) == []


def test_an_end_is_remembered_though_others_are_told_meanwhile() -> None:
    late = [told(0, 1, ("stored", "5e")), told(0.5, 1.5, ("accepted", "")), told(2, 3, ("accepted", ""))]
    assert len(changed_outcomes(late)) == 1


def test_counts_do_not_fall() -> None:
    counts = [{"accepted": 3, "stored": 1}, {"accepted": 4, "stored": 1}, {"accepted": 3, "stored": 2}]
    answers = [told(n, n + 0.5, count, "") for n, count in enumerate(counts)]
    assert falling_totals(answers[:2]) == []
    assert falling_totals(answers) == ["accepted fell from 4 to 3"]
    assert falling_totals([told(0, 5, counts[1], ""), told(1, 2, counts[0], "")]) == []


def test_what_was_announced_can_be_read() -> None:
    assert unreadable([told(0, 1, 200)]) == []
    assert unreadable([told(0, 1, 404)]) == ["a was announced, and its bytes answer 404"]


def test_what_was_erased_needs_no_bytes() -> None:
    assert unreadable([told(0, 1, 410)], {"a"}) == []
    assert unreadable([told(0, 1, 410, "b")], {"a"}) == ["b was announced, and its bytes answer 410"]
    assert unreadable([told(0, 1, 404)], {"a"}) == ["a was announced, and its bytes answer 404"]
