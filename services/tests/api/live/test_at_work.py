"""Who works on what, as far as it was heard."""

from imagemill.api.live.at_work import MAX_WORKERS, SILENCE_SECONDS, AtWork
from imagemill.domain.activity import Record


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(kind: str, image: str, by: str = "worker-1", second: int = 0) -> Record:
    at = f"2026-11-21T09:15:{second:02}.000Z"
    return {"at": at, "kind": kind, "image": image, "by": by, "recipe": "gray", "name": f"{image}.png"}


def pool(_: str) -> str:
    return "default"


def test_a_worker_works_on_what_it_took_and_has_not_done() -> None:
    heard = AtWork()
    for kind, image in (("taken", "a"), ("taken", "b"), ("done", "a")):
        heard.hear(record(kind, image))
    (worker,) = heard.told(pool)["default"]
    assert worker["name"] == "worker-1"
    assert worker["works_on"] == [{"id": "b", "name": "b.png", "since": "2026-11-21T09:15:00.000Z"}]
    heard.hear(record("done", "b", second=7))
    (worker,) = heard.told(pool)["default"]
    assert (worker["works_on"], worker["heard_at"]) == ([], "2026-11-21T09:15:07.000Z")


def test_what_another_worker_takes_its_first_one_has_no_more() -> None:
    heard = AtWork()
    heard.hear(record("taken", "a"))
    heard.hear(record("taken", "a", by="worker-2"))
    assert [len(worker["works_on"]) for worker in heard.told(pool)["default"]] == [0, 1]
    heard.hear(record("done", "a", by="worker-2"))
    assert [len(worker["works_on"]) for worker in heard.told(pool)["default"]] == [0, 0]


def test_of_a_silent_worker_nobody_knows() -> None:
    clock = Clock()
    heard = AtWork(clock)
    heard.hear(record("taken", "a"))
    clock.now += SILENCE_SECONDS + 1
    assert heard.told(pool) == {}


def test_what_is_no_workers_word_is_passed_over() -> None:
    heard = AtWork()
    for odd in (
        {"kind": "stored", "image": "a", "by": "writer"}, {"kind": "taken"}, {"kind": "taken", "by": "w", "image": "a"},
        {"at": None, "kind": None},
    ):  # fmt: skip
        heard.hear(odd)
    assert heard.told(pool) == {}


def test_neither_workers_nor_their_pictures_grow_without_end() -> None:
    heard = AtWork()
    for number in range(MAX_WORKERS + 50):
        heard.hear(record("taken", f"own-{number}", by=f"worker-{number:05}"))
    for number in range(500):
        heard.hear(record("taken", f"image-{number}", by="worker-99999"))
    workers = heard.told(pool)["default"]
    assert len(workers) == MAX_WORKERS
    assert len(heard._hands) == sum(len(worker["works_on"]) for worker in workers)
    assert len(workers[-1]["works_on"]) < 100
    assert workers[-1]["works_on"][-1]["id"] == "image-499"
