"""What one node of a cluster alone has is not written, however often it is asked."""

from collections.abc import Callable, Iterator

import pytest

from imagemill.domain.blobs import sha256
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.couch import Conflict, Database, NoQuorum
from imagemill.store.majority import Majority
from simulation.couchdb import CouchModel
from simulation.patches import STAGE, patched
from simulation.scheduler import Process, Scheduler
from simulation.service import ModelCouch
from simulation.tape import Tape


class Nodes:
    """Counts what is asked; `answers` are those of the writes, one after the other."""

    def __init__(self, *answers: Exception | str, replicas: int = 3, majority: bool = True) -> None:
        self.answers, self.asked, self.majority = list(answers), 0, majority
        self.known = Majority(lambda: replicas, self._ask)

    def _ask(self) -> None:
        self.asked += 1
        if not self.majority:
            raise NoQuorum

    def write(self) -> str:
        def attempt() -> str:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return self.known.write(attempt)


def test_a_conflict_after_a_write_of_a_moment_ago_counts_at_once() -> None:
    nodes = Nodes("written", Conflict())
    assert nodes.write() == "written"
    with pytest.raises(Conflict):
        nodes.write()
    assert nodes.asked == 0


def test_else_a_majority_is_asked_for_and_it_is_written_again() -> None:
    nodes = Nodes(Conflict(), "written")
    assert nodes.write() == "written"
    assert nodes.asked == 1


def test_a_conflict_that_a_majority_tells_again_is_one() -> None:
    nodes = Nodes(Conflict(), Conflict())
    with pytest.raises(Conflict):
        nodes.write()
    assert nodes.asked == 1


def test_without_a_majority_nothing_is_there() -> None:
    nodes = Nodes("written", NoQuorum(), Conflict(), majority=False)
    nodes.write()
    for _ in range(2):
        with pytest.raises(NoQuorum):
            nodes.write()


def test_one_node_alone_is_the_majority() -> None:
    nodes = Nodes(Conflict(), replicas=1)
    with pytest.raises(Conflict):
        nodes.write()
    assert nodes.asked == 0


@pytest.fixture
def cluster() -> Iterator[CouchModel]:
    scheduler = Scheduler(Tape())
    with patched():
        STAGE.begin(scheduler, 0)
        yield CouchModel(scheduler, 3)


def carry_out(model: CouchModel, steps: Callable[[Database], None]) -> None:
    database = ModelCouch(model, lambda _, act: act()).database("ledger")
    model.scheduler.spawn(Process("program"), lambda: steps(database))
    model.scheduler.run(lambda: False, until=100)
    assert not [line for line in model.scheduler.story if "DIED" in line], model.scheduler.story


def test_with_two_of_three_nodes_down_a_repeated_write_is_no_more_done_than_the_first(cluster: CouchModel) -> None:
    def steps(database: Database) -> None:
        for node in cluster.nodes[1:]:
            node.down_until = float("inf")
        for _ in range(2):
            with pytest.raises(NoQuorum):
                database.put({"_id": "a"})
        assert database.bulk([{"_id": "b"}]) != [None]
        with pytest.raises(NoQuorum):
            database.bulk([{"_id": "b"}])
        cluster.nodes[1].down_until = 0.0
        assert database.bulk([{"_id": "b"}, {"_id": "c"}])[1] is None
        assert cluster.is_safe("ledger", "b")

    carry_out(cluster, steps)


def test_an_original_that_one_node_alone_has_is_given_to_a_majority_before_it_counts_as_known(
    cluster: CouchModel,
) -> None:
    def steps(_: Database) -> None:
        blobs = CouchBlobs(ModelCouch(cluster, lambda _, act: act()))
        data = b"picture"
        name = sha256(data)
        for node in cluster.nodes[1:]:
            node.down_until = float("inf")
        with pytest.raises(NoQuorum):
            blobs.put(name, data, "image/png")
        assert blobs.get(name) == data
        with pytest.raises(NoQuorum):
            blobs.put_everywhere(name, data, "image/png")
        cluster.nodes[1].down_until = 0.0
        blobs.put_everywhere(name, data, "image/png")
        assert cluster.is_safe(f"blobs-{int(name[0], 16) % 4}", name)

    carry_out(cluster, steps)
