"""When a job in flight is taken for lost: a pure decision."""

import time

import pytest

from imagemill.domain.ids import floor_at
from imagemill.domain.images import ImageInfo, Job
from imagemill.writer.redrive import Rounds, is_lost

NOW = time.time()
AFTER = 300.0


def job(age_seconds: float) -> Job:
    info = ImageInfo(sha256="0" * 64, bytes=1, width=1, height=1, content_type="image/png")
    return Job(
        id=floor_at(NOW - age_seconds), batch="b", name="n", recipe="gray", recipe_steps="[]", recipe_digest="d",
        original=info, accepted_at="", by="api",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("age", "waiting", "frontier_age", "lost"),
    [
        (299, 0, None, False),  # too young
        (301, 0, None, True),  # its queue is empty
        (301, 5, None, False),  # it may be among those which wait
        (301, None, None, False),  # nobody knows
        (3600, 5, 3500, False),  # hardly younger jobs were done: not overtaken by enough
        (3600, 5, 60, True),  # jobs accepted an hour later were done: it is not in the queue
    ],
)
def test_a_job_is_lost_when_its_queue_is_empty_or_it_was_overtaken(
    age: float, waiting: int | None, frontier_age: float | None, lost: bool
) -> None:
    frontier = floor_at(NOW - frontier_age) if frontier_age else ""
    assert is_lost(job(age), waiting, frontier, NOW, AFTER, Rounds()) is lost


def test_each_re_drive_doubles_the_patience() -> None:
    rounds, lost = Rounds(), job(1000)
    assert is_lost(lost, 0, "", NOW, AFTER, rounds)
    rounds.note(lost.id, NOW)
    assert not is_lost(lost, 0, "", NOW + AFTER + 1, AFTER, rounds)
    assert is_lost(lost, 0, "", NOW + 2 * AFTER + 1, AFTER, rounds)


def test_what_is_no_longer_in_flight_is_forgotten() -> None:
    rounds = Rounds()
    rounds.note("a", NOW)
    rounds.note("b", NOW)
    rounds.forget_all_but(["b"])
    assert set(rounds.last) == set(rounds.times) == {"b"}
