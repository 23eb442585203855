"""One run: programs, clients, and faults at the requests which the tape names; and what must be true of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from imagemill.domain.blobs import sha256
from imagemill.domain.erasures import Erasure
from imagemill.domain.ids import timestamp, uuid7
from imagemill.domain.images import Outcome
from imagemill.store.couch import StoreUnavailable, Unsettled
from imagemill.store.erasures import Erasures
from imagemill.wire import topology
from imagemill.wire.broker import BrokerUnavailable, Outgoing
from simulation import couchdb, programs, rabbitmq, service
from simulation.couchdb import shown
from simulation.scenario import HEAVY_FROM_SECONDS, WORLD_FAULTS, Client, drawn
from simulation.scheduler import EPOCH, Killed, Process, Scheduler
from simulation.tape import Tape

_DURATIONS = (3.0, 40.0, 200.0, 700.0)
# A first attempt that hangs for longer than ids are taken for new may count twice: docs/promise.md says so.
_LONGEST_HANG_SECONDS = 200.0
_RESTART_SECONDS = 5.0
_CLIENT_TIMEOUT_SECONDS = 60.0
_EARLY_SECONDS = 800.0
_SETTLE_SECONDS = 6_000.0
_A_DAY_SECONDS = 86_400.0
_WORKERS = {"worker-a": "default", "worker-b": "default", "worker-c": "heavy"}
_PATIENT = (StoreUnavailable, BrokerUnavailable)


@dataclass(eq=False)
class World:
    """All of it."""

    tape: Tape
    scheduler: Scheduler = field(init=False)
    running: dict[str, Process] = field(default_factory=dict)
    last_fault_at: float = 0.0
    has_lost_disk: bool = False
    announced: dict[str, list[Outcome]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    requests: int = 0

    def __post_init__(self) -> None:
        scenario = self.scenario = drawn(self.tape)
        self.scheduler = Scheduler(self.tape)
        self.couch = couchdb.CouchModel(self.scheduler, scenario.nodes)
        self.rabbit = rabbitmq.BrokerModel(self.scheduler, programs.POOLS, scenario.counts_returns)
        self.rabbit.announced, self.rabbit.republished = self._announce, self._worked_on_again
        self.work_seconds, self.clients = scenario.work_seconds, scenario.clients
        self.has_faults, self.faults = bool(scenario.faults), dict(scenario.faults)

    # --- what the programs ask ----------------------------------------------------------------------

    def couch_of(self, process: Process) -> service.ModelCouch:
        return service.ModelCouch(self.couch, partial(self._request, process, service))

    def broker_of(self, process: Process) -> rabbitmq.ModelBroker:
        return rabbitmq.ModelBroker(self.rabbit, partial(self._request, process, rabbitmq))

    def _request(self, process: Process, server: Any, what: str, apply: Callable[[], Any]) -> Any:
        self.scheduler.pause()
        self.requests += 1
        fault = self.faults.pop(self.requests, None)
        if fault is None:
            self.scheduler.tell(what)
            return apply()
        self.last_fault_at = self.scheduler.now
        self.scheduler.tell(f"{what}: {fault.upper()}")
        if fault in WORLD_FAULTS:
            self._world_fault(fault, process)
            return apply()
        return self._request_fault(fault, process, server, apply)

    def _request_fault(self, fault: str, process: Process, server: Any, apply: Callable[[], Any]) -> Any:
        if fault == "refused":
            raise server.refused()
        if fault == "error":
            raise server.failed()
        if fault == "late":
            self.scheduler.spawn(Process("late"), lambda: _ignoring_errors(apply), after=self._hang())
            self.scheduler.pause(service.TIMEOUT_SECONDS)
            raise server.timed_out()
        if fault == "frozen":
            process.frozen_until = self.scheduler.now + (self._hang() if process.name == "api" else self._duration())
            self.scheduler.spawn(Process("broker"), lambda: self.rabbit.cut(process), after=60)
            self.last_fault_at = process.frozen_until
            self.scheduler.ring()
            self.scheduler.pause()
            return apply()
        if fault != "killed before":
            apply()
        if fault == "lost":
            raise server.timed_out()
        self.scheduler.kill(process)
        raise Killed

    def _world_fault(self, fault: str, process: Process) -> None:
        until = self.scheduler.now + self._duration()
        node = self.couch.nodes[self.tape.choose(len(self.couch.nodes))]
        if fault == "node down":
            node.down_until = until
        elif fault == "majority down":
            for other in self.couch.nodes:
                other.down_until = max(other.down_until, 0.0 if other is node else until)
        elif fault == "disk lost" and len(self.couch.nodes) > 1 and not self.has_lost_disk:
            self.has_lost_disk = True
            self.couch.lose_disk(node)
        elif fault == "broker lost":
            self.rabbit.lose_everything()
        elif fault == "cut":
            self.rabbit.cut(process)
        elif fault == "blocked":
            self.rabbit.blocked_until = until
        elif fault == "full":
            self.rabbit.full_until = until
        self.last_fault_at = max(self.last_fault_at, until)

    def _duration(self) -> float:
        return _DURATIONS[self.tape.choose(len(_DURATIONS))]

    def _hang(self) -> float:
        return min(self._duration(), _LONGEST_HANG_SECONDS)

    # --- programs and clients -----------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start a program, and start it again whenever it is killed."""
        process = self.running[name] = Process(name)
        process.at_death.append(
            lambda: self.scheduler.spawn(Process("kubelet"), lambda: self.start(name), after=_RESTART_SECONDS)
        )
        if name == "api":
            process.clock_ahead = self.scenario.api_clock_ahead
            self.api = programs.Api(self, process)
        elif name in _WORKERS:
            programs.worker(self, process, _WORKERS[name])
        else:
            programs.writer(self, process)

    def send(self, client: Client) -> None:
        """What a client does: the same request with the same key, until it is taken."""
        client.key = client.key or uuid7()
        for _ in range(client.patience):
            answer: list[Any] = []
            process = self.running["api"]
            if process.alive:
                self.scheduler.spawn(process, partial(self._serve, client, answer))
            waited = lambda process=process, answer=answer: answer or not process.alive  # noqa: E731
            self.scheduler.pause(_CLIENT_TIMEOUT_SECONDS, until=waited)
            if answer and isinstance(answer[0], str):
                client.told = answer[0]
                self.scheduler.tell(f"is told {client.told}")
                break
            client.is_unsure |= not answer or isinstance(answer[0], Unsettled)
            self.scheduler.pause(5.0)
        if client.told and client.erases_after is not None:
            self.scheduler.pause(client.erases_after)
            self._erase(client)
        client.has_ended = True

    def _erase(self, client: Client) -> None:
        """A person erases a picture, if it has come to its end."""
        process = self.running["api"]
        if not process.alive or client.told in self.in_flight():
            return
        now = timestamp(EPOCH + self.scheduler.now)
        erasure = Erasure(id=str(client.told), batch="batch", at=now, by="somebody", due=now)
        with suppress(*_PATIENT):
            Erasures(self.couch_of(Process("somebody"))).add([erasure])  # type: ignore[arg-type]
            self.scheduler.tell(f"erases {client.told}")

    def _serve(self, client: Client, answer: list[Any]) -> None:
        try:
            job_id = self.api.take(client)
            self._must_be_safe("ledger", f"job:{job_id}", "accepted")
            original = sha256(client.data)
            self._must_be_safe(f"blobs-{int(original[0], 16) % 4}", original, "accepted")
            answer.append(job_id)
        except _PATIENT as error:
            self.scheduler.tell(f"answers 503: {error!r}")
            answer.append(error)
        self.scheduler.ring()

    def _announce(self, message: Outgoing) -> None:
        outcome = Outcome.model_validate_json(message.body)
        self.announced.setdefault(outcome.id, []).append(outcome)
        self._must_be_safe("ledger", f"outcome:{outcome.id}", "announced")
        if self.running["api"].alive:
            self.api.dispatcher.ended(outcome)

    def _worked_on_again(self, message: Outgoing) -> None:
        """What waits in its queue, first in, first out, is not lost: nothing may be published beside it."""
        waits = self.rabbit.queues[topology.work_queue(message.key.removeprefix("image."))].ready
        if not self.has_faults and any(other.outgoing.message_id == message.message_id for other in waits):
            self.broken.append(f"{message.message_id} was published again while it waited in its queue")

    def _look_at_the_busy(self) -> None:
        """Pools do not wait for each other: what is for a pool that works is done, whatever waits for another."""
        if self.scenario.heavy_from and self.last_fault_at < _EARLY_SECONDS:
            left = self.in_flight() & {c.told for c in self.clients if c.told and c.recipe == "default"}
            self.broken += [f"{job_id} waits for the pictures of another pool" for job_id in sorted(left)]

    def _must_be_safe(self, database: str, doc_id: str, what: str) -> None:
        if not self.couch.is_safe(database, doc_id):
            self.broken.append(f"{doc_id} was {what} before a majority of nodes had it")
            self.scheduler.tell("THAT IS NOT SAFE")

    def is_settled(self) -> bool:
        """Has everything that was accepted come to its end, is nothing on its way, and do all nodes agree?"""
        return (
            all(client.has_ended for client in self.clients)
            and self.rabbit.is_empty()
            and not self.in_flight()
            and not self._is_erasing()
            and self.couch.agrees()
        )

    def _is_erasing(self) -> bool:
        first = self.couch.nodes[0]
        found = [shown(v) for doc_id, v in first.database("ledger").items() if doc_id.startswith("erasure:")]
        return any(document and document["state"] != "purged" for document in found)

    def in_flight(self) -> set[str]:
        """Jobs without an outcome, as all nodes together know them."""
        known = {doc_id for node in self.couch.nodes for doc_id in node.database("ledger")}
        jobs = {doc_id.removeprefix("job:") for doc_id in known if doc_id.startswith("job:")}
        return {job_id for job_id in jobs if f"outcome:{job_id}" not in known}

    def go(self) -> None:
        """The run."""
        writers, workers = ("writer-a", "writer-b"), ("worker-a", "worker-b")
        for name in ("api", *writers[: self.scenario.writers], *workers[: self.scenario.workers]):
            self.start(name)
        self.scheduler.spawn(Process("kubelet"), lambda: self.start("worker-c"), after=self.scenario.heavy_from)
        self.scheduler.spawn(Process("monitor"), self._look_at_the_busy, after=HEAVY_FROM_SECONDS - 1)
        for client in self.clients:
            process = Process(f"client-{client.number}")
            self.scheduler.spawn(process, partial(self.send, client), after=client.starts_at)
        if not self.scheduler.run(self.is_settled, until=_SETTLE_SECONDS):
            self.scheduler.skip(_A_DAY_SECONDS)
            self.scheduler.run(self.is_settled, until=self.scheduler.now + _SETTLE_SECONDS)


def _ignoring_errors(apply: Callable[[], Any]) -> None:
    with suppress(Exception):
        apply()
