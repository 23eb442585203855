"""What a run begins with, drawn from its tape: servers, programs, clients, and what will go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from simulation.tape import Tape

# What may go wrong with a request, or around it at its moment.
REQUEST_FAULTS = ("refused", "error", "lost", "late", "killed before", "killed after", "frozen")
WORLD_FAULTS = ("node down", "majority down", "disk lost", "broker lost", "cut", "blocked", "full")
_FAULTS = (*REQUEST_FAULTS, *WORLD_FAULTS)
HEAVY_FROM_SECONDS = 2_500.0
_FAULTY_REQUESTS = 150
_MOST_FAULTS = 4
_MOST_CLIENTS = 5


@dataclass(eq=False)
class Client:
    """Sends one picture until it is taken, or until it has no patience any more. `told`: the id it was told."""

    number: int
    data: bytes
    recipe: str
    priority: int
    key: str | None
    patience: int
    starts_at: float
    owner: str | None = None
    told: str | None = None
    is_unsure: bool = False
    erases_after: float | None = None
    """So long after it was told somebody erases its picture, if that has its outcome by then."""
    is_erased: bool = False
    has_ended: bool = False


@dataclass
class Scenario:
    """The beginning of a run. `faults`: what goes wrong at the n-th request."""

    nodes: int
    counts_returns: bool
    writers: int
    workers: int
    work_seconds: float
    api_clock_ahead: float
    heavy_from: float = 0.0
    faults: dict[int, str] = field(default_factory=dict)
    clients: list[Client] = field(default_factory=list)


def drawn(tape: Tape) -> Scenario:
    """Mostly anything; now and then a setting of which chance alone would make too few."""
    kinds: list[Callable[[Tape], Scenario]] = [*[_any] * 12, _spread, _slow_clock, _queue, _two_pools, _erased, _erased]
    return kinds[tape.choose(len(kinds))](tape)


def _any(tape: Tape) -> Scenario:
    choose = tape.choose
    scenario = Scenario(
        nodes=(1, 3)[choose(2)], counts_returns=bool(choose(2)), writers=1 + choose(2), workers=1 + choose(2),
        work_seconds=(0.5, 0.5, 20.0, 200.0)[choose(4)],
        api_clock_ahead=(0.0, 0.0, 0.0, 0.0, -1500.0, 700.0)[choose(6)],
    )  # fmt: skip
    scenario.faults = {choose(_FAULTY_REQUESTS): _FAULTS[choose(len(_FAULTS))] for _ in range(choose(_MOST_FAULTS + 1))}
    scenario.clients = [_client(tape, number) for number in range(1 + choose(_MOST_CLIENTS))]
    return scenario


def _client(tape: Tape, number: int) -> Client:
    choose = tape.choose
    other = choose(number + 1)  # now and then the picture of another one
    data = f"picture {other}".encode() if choose(4) == 3 else f"picture {number}, which is larger".encode()
    recipe = ("default", "default", "heavy")[choose(3)]
    priority = (0, 0, 0, 9)[choose(4)]
    key = (None, None, f"key-{number}")[choose(3)]
    patience = (40, 40, 40, 1)[choose(4)]
    owner = (None, None, "token-a", "token-b")[choose(4)]
    return Client(number, data, recipe, priority, key, patience, starts_at=0.0, owner=owner)


def _spread(tape: Tape) -> Scenario:
    """Pictures come over a quarter of an hour."""
    scenario = _any(tape)
    for client in scenario.clients:
        client.starts_at = (0.0, 1.0, 320.0, 700.0)[tape.choose(4)]
    return scenario


def _slow_clock(tape: Tape) -> Scenario:
    """The API's clock is slow, and a message is lost."""
    scenario = _any(tape)
    scenario.api_clock_ahead = -1500.0
    scenario.faults[20 + tape.choose(_FAULTY_REQUESTS)] = "broker lost"
    for client in scenario.clients:
        client.key, client.starts_at = f"key-{client.number}", 400.0
    return scenario


def _queue(tape: Tape) -> Scenario:
    """A queue is long, nothing goes wrong, and one that comes late goes first."""
    scenario = _any(tape)
    scenario.faults, scenario.workers, scenario.work_seconds = {}, 1, 400.0
    scenario.clients = [_client(tape, number) for number in range(_MOST_CLIENTS)]
    for client in scenario.clients:
        client.recipe, client.priority = "default", 0
    scenario.clients[-1].priority, scenario.clients[-1].starts_at = (0, 9)[tape.choose(2)], 320.0
    return scenario


def _two_pools(tape: Tape) -> Scenario:
    """One pool's workers stay away while messages of another are lost."""
    scenario = _any(tape)
    scenario.heavy_from, scenario.work_seconds = HEAVY_FROM_SECONDS, 0.5
    scenario.clients = [_client(tape, number) for number in range(_MOST_CLIENTS)]
    for client in scenario.clients:
        client.recipe, client.starts_at = ("heavy", 0.0) if client.number < 3 else ("default", 1.0)
    return scenario


def _erased(tape: Tape) -> Scenario:
    """The same few pictures come again and again, and are erased."""
    scenario = _any(tape)
    scenario.api_clock_ahead, scenario.work_seconds = 0.0, (0.5, 20.0)[tape.choose(2)]
    scenario.clients = [_client(tape, number) for number in range(_MOST_CLIENTS)]
    for client in scenario.clients:
        client.data = (b"one", b"two, which is larger than that")[tape.choose(2)]
        # About when the eraser takes a step.
        moment = (0.0, 0.0, 15.0, 15.0, 45.0, 225.0, 225.0, 435.0)[tape.choose(8)]
        client.starts_at = moment + (0.0, 0.0, 0.0, 0.3)[tape.choose(4)]
        client.erases_after = (None, 5.0, 5.0, 95.0)[tape.choose(4)]
    return scenario
