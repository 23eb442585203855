"""The matrix: every step of a picture's way that touches a server, and everything that can go wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

SMALL, LARGE = "small", "large"


@dataclass(frozen=True)
class Step:
    """A request to CouchDB or S3 (`method`, `path`, `body`) or a message (`frame`, `exchange`) of a program.

    `sizes` are those of pictures which take it: what is larger than `inline_max_bytes`, of results than
    `result_inline_max_bytes`, travels as a claim check.
    """

    name: str
    program: str
    method: str = ""
    path: str = ""
    body: str = ""
    frame: str = ""
    exchange: str = ""
    sizes: tuple[str, ...] = (SMALL, LARGE)
    server: str = "couch"


@dataclass(frozen=True)
class Cell:
    """One step, one fault, a size, and whether the client waits for the result."""

    step: Step
    fault: str
    size: str
    wait: bool

    def __str__(self) -> str:
        return f"{self.step.name}, {self.fault}, {self.size}{', wait' if self.wait else ''}"


STEPS = (
    Step("put original", "api", "PUT", "-blobs-"),
    Step("read known results", "api", "POST", "-ledger/_all_docs", "result:"),
    Step("write job", "api", "POST", "-ledger/_bulk_docs", "job:"),
    Step("publish job", "api", frame="publish", exchange="images"),
    Step("deliver job", "worker", frame="deliver", exchange="images"),
    Step("get original", "worker", "GET", "-blobs-", sizes=(LARGE,)),
    Step("put large result", "worker", "PUT", "-blobs-", sizes=(LARGE,)),
    Step("publish result", "worker", frame="publish", exchange="results"),
    Step("acknowledge job", "worker", frame="ack"),
    Step("deliver result", "writer", frame="deliver", exchange="results"),
    Step("read job", "writer", "POST", "-ledger/_all_docs", "job:"),
    Step("put small result", "writer", "PUT", "-blobs-", sizes=(SMALL,)),
    Step("write result", "writer", "POST", "-ledger/_bulk_docs", "result:"),
    Step("write outcome", "writer", "POST", "-ledger/_bulk_docs", "outcome:"),
    Step("announce", "writer", frame="publish", exchange="outcomes"),
    Step("acknowledge result", "writer", frame="ack"),
)
# Where the bytes are in S3.
S3_STEPS = tuple(
    replace(step, name=f"{step.name} in S3", path="/", server="s3") for step in STEPS if step.path == "-blobs-"
)
# `refuse`: nothing arrives; `lose`: its answer does not; `late`: it arrives after the time-out; `error`: 500.
FAULTS = ("refuse", "lose", "late", "crash", "pause", "error")


def matrix(steps: Sequence[Step]) -> list[Cell]:
    """All cells."""
    return [
        Cell(step, fault, size, wait)
        for step in steps
        for fault in FAULTS
        if not (step.frame and fault == "error")  # a broker has no such answer
        for size in step.sizes
        for wait in (False, True)
    ]


def some(steps: Sequence[Step]) -> list[Cell]:
    """Two cells a step, of all faults in turn: what there is time for in every run of the tests."""
    cells = matrix(steps)
    chosen = []
    for number, step in enumerate(steps):
        own = [cell for cell in cells if cell.step is step]
        there = [fault for fault in FAULTS if any(cell.fault == fault for cell in own)]
        for fault in (there[number % len(there)], there[(number + 2) % len(there)]):
            fitting = [cell for cell in own if cell.fault == fault]
            chosen.append(fitting[(number // 5) % len(fitting)])
    return chosen
