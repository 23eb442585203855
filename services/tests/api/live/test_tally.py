"""The counts from memory: whatever is heard, late, twice or never, they add up, and a reading puts them right."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from imagemill.api.live.tally import Heard, Tally, heard_job, heard_outcome, is_due, is_unclear
from imagemill.domain.ids import floor_at, timestamp, uuid7
from imagemill.domain.images import Counts, Outcome, TraceStep

JOB, STORED, FAILED = Counts(accepted=1), Counts(stored=1), Counts(failed=1)
# What happens next: which picture, how much time passes, and how it ended.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["commit", "commit by a fast clock", "hear", "hear again", "lose", "begin", "read", "doubt"]),
        st.integers(0, 5), st.booleans(),
    ),
    max_size=60,
)  # fmt: skip


def total(documents: list[Heard]) -> Counts:
    names = Counts.model_fields
    return Counts(**{name: sum(getattr(item.adds, name) for item in documents) for name in names})


def at_most(one: Counts, other: Counts) -> bool:
    return all(getattr(one, name) <= getattr(other, name) for name in Counts.model_fields)


@dataclass
class World:
    """A ledger, its news on their way, and a tally of it."""

    tally: Tally = field(default_factory=lambda: Tally(most_heard=4))
    clock: float = 1000.0
    ledger: list[Heard] = field(default_factory=list)
    under_way: list[Heard] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    seen: list[Heard] | None = None

    def commit(self, choice: int, well: bool, ahead: float = 0) -> None:
        """A job or an outcome is written; the moment in it is older than the write, by the clock of who wrote it."""
        since = self.clock - choice + ahead
        jobs = [item.key[1] for item in self.ledger if item.key[0] == "job"]
        open_jobs = [job for job in jobs if ("outcome", job) not in {item.key for item in self.ledger}]
        if open_jobs and choice > 2:
            new = Heard(("outcome", open_jobs[0]), "b", since, STORED if well else FAILED)
        else:
            new = Heard(("job", str(len(jobs))), "b", since, JOB)
        self.ledger.append(new)
        self.under_way.append(new)

    def act(self, what: str, choice: int, well: bool) -> None:
        self.clock += choice
        if what == "commit":
            self.commit(choice, well)
        elif what == "commit by a fast clock":
            self.commit(choice, well, ahead=3600)
        elif what == "begin" and self.seen is None:
            self.tally.begin_reading()
            self.seen = list(self.ledger)
        elif what == "read" and self.seen is not None:
            self.tally.read(total(self.seen), self.clock)
            self.seen = None
        elif what == "doubt":
            self.tally.doubt()
        elif what == "hear again" and self.heard:
            self.tally.hear(self.heard[choice % len(self.heard)], self.clock)
        elif self.under_way and what in ("hear", "lose"):
            news = self.under_way.pop(choice % len(self.under_way))
            if what == "hear":
                self.tally.hear(news, self.clock)
                self.heard.append(news)


@given(STEPS)
def test_counts_add_up_and_never_run_ahead_of_the_ledger(steps: list[tuple[str, int, bool]]) -> None:
    world = World()
    for step in steps:
        world.act(*step)
        counts = world.tally.counts()
        assert counts.in_flight >= 0
        assert counts.accepted == counts.stored + counts.failed + counts.in_flight
        assert at_most(counts, total(world.ledger))


@given(STEPS)
def test_a_reading_puts_the_counts_right(steps: list[tuple[str, int, bool]]) -> None:
    world = World()
    for step in steps:
        world.act(*step)
    for step in ("read", "begin", "read"):
        world.act(step, 1, True)
    assert world.tally.counts() == total(world.ledger)
    assert world.tally.is_sure


@given(STEPS)
def test_who_is_sure_and_has_heard_all_is_right(steps: list[tuple[str, int, bool]]) -> None:
    world = World()
    for step in [("begin", 0, True), ("read", 1, True), *steps]:
        if step[0] != "lose":
            world.act(*step)
    while world.under_way:
        world.act("hear", 0, True)
    if world.seen is None and world.tally.is_sure:
        assert world.tally.counts() == total(world.ledger)


def test_more_than_is_kept_is_not_added_but_doubted() -> None:
    tally = Tally(most_heard=2)
    tally.begin_reading()
    tally.read(Counts(), 10)
    for number in range(3):
        tally.hear(Heard(("job", str(number)), "b", 11, JOB), now=12)
    assert tally.counts().accepted == 2
    assert not tally.is_sure


def test_an_outcome_is_as_old_as_its_last_mark() -> None:
    image = uuid7()
    trace = [TraceStep(step="stored", at=timestamp(1500.0), by="writer")]
    told = Outcome(
        id=image, batch="b", recipe="gray", status="stored", duplicate=True, warnings=["damaged"], trace=trace
    )
    heard = heard_outcome(told)
    assert (heard.since, heard.adds) == (1500.0, Counts(stored=1, duplicates=1, damaged=1))
    assert heard_outcome(told.model_copy(update={"status": "failed", "trace": []})).adds.failed == 1


def test_an_accepted_job_is_as_old_as_its_id_and_not_younger_than_its_record() -> None:
    record = {"kind": "accepted", "image": floor_at(1500.0), "batch": "b", "at": timestamp(1501.0)}
    heard = heard_job(record)
    assert heard is not None
    assert heard.since == 1500.0
    fast = heard_job(record | {"image": floor_at(2000.0)})
    assert fast is not None
    assert fast.since == 1501.0
    assert heard_job({"kind": "taken", "image": floor_at(1500.0), "at": timestamp()}) is None
    assert is_unclear({"kind": "discarded"})
    assert not is_unclear(record)


def test_readings_come_soon_when_somebody_looks_and_never_take_much_of_the_time() -> None:
    assert is_due(1.0, 0.01, sure=False, watched=True)
    assert not is_due(10.0, 0.01, sure=False, watched=False)
    assert not is_due(10.0, 1.0, sure=False, watched=True)
    assert is_due(30.0, 0.01, sure=True, watched=False)
    assert is_due(300.0, 100.0, sure=True, watched=False)
