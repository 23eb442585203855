"""What can go wrong on one machine: every program, both servers, and the nodes of a database."""

import contextlib
import itertools
import os
import random
import signal
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import pika
import requests

from broker_faults import disk_alarm, memory_alarm
from chaos import clocks
from chaos.api import Api
from chaos.clocks import Clock
from chaos.faults import Fault
from chaos.network import Link
from chaos.nodes import Nodes
from databases import remove_databases
from imagemill.integrity.walk import Walk, Wanted
from imagemill.local.couch import local_couch
from imagemill.local.rabbit import RabbitServer
from imagemill.local.servers import LocalServer
from imagemill.store.blobs.couchdb import CouchBlobs
from imagemill.store.couch import Couch
from mill import Mill, wait_for

PROGRAMS = ("writer", "writer:2", "api", "worker", "worker:2", "journal")
SETTINGS = {
    "redrive_after_seconds": 8, "redrive_every_seconds": 2, "lease_seconds": 5, "couchdb_timeout_seconds": 5,
    "confirm_timeout_seconds": 5, "pools": '{"default": ["*"]}', "max_image_pixels": 30_000_000,
}  # fmt: skip
QUEUES = ("work.default", "results.0", "results.1", "results.2", "results.3", "dead.default")


class LocalSite:
    """The programs, the servers, and one that starts again what has died, as Kubernetes does.

    Each program has links of its own to both servers, and a clock of its own. COUCHDB_URL names a database that is
    there, or the nodes of a cluster, separated by commas: the programs share them out, and `nodes_command` breaks them.
    """

    def __init__(self, folder: Path, nodes_command: str = "") -> None:
        self.rabbit = RabbitServer(folder / "rabbitmq")
        self.rabbit.start()
        nodes = [url for url in os.environ.get("COUCHDB_URL", "").split(",") if url]
        self.own_couch = None if nodes else local_couch(folder / "couchdb")
        if self.own_couch:
            self.own_couch.start()
            nodes = [self.own_couch.url]
        self._nodes = Nodes(nodes_command, len(nodes)) if nodes_command else None
        self.couchdb_url, prefix = nodes[0], f"chaos-{uuid.uuid4().hex[:8]}"
        self.mill = Mill(folder, self.rabbit.amqp_url, self.couchdb_url, prefix, **SETTINGS)
        self.api = Api(self.mill.url)
        self.links = {(name, "broker"): Link(self.rabbit.amqp_url) for name in PROGRAMS} | {
            (name, "database"): Link(url) for name, url in zip(PROGRAMS, itertools.cycle(nodes), strict=False)
        }
        self.clocks = {name: Clock(folder / f"{name}.clock") for name in PROGRAMS}
        self._lock, self._ending = threading.Lock(), threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """All programs, and whoever keeps them going."""
        for name in PROGRAMS:
            self._launch(name)
        for name in PROGRAMS:
            wait_for(lambda name=name: self.mill.is_ready(name), f"{name} to be ready; {self.mill.log(name)}")
        self._keeper.start()

    def close(self) -> None:
        """Leave nothing."""
        self.stop_keeping()
        self.mill.close()
        for link in self.links.values():
            link.close()
        self.rabbit.kill()
        if self.own_couch:
            self.own_couch.kill()
        else:
            remove_databases(self.couchdb_url, f"{self.mill.prefix}-")

    def bytes_there(self, hashes: Sequence[str]) -> set[str]:
        """Those of them that are stored."""
        return CouchBlobs(Couch(self.couchdb_url, self.mill.prefix)).listed(hashes)

    def verify(self) -> object:
        """What is wrong, if anything."""
        couch = Couch(self.couchdb_url, self.mill.prefix)
        report = Walk(couch, CouchBlobs(couch), Wanted(sample=None), lambda _: None, lambda *_: None).run()
        return None if report.sound else report.as_dict()["wrong"]

    def _launch(self, name: str) -> None:
        servers = {"AMQP_URL": self.links[name, "broker"].url, "COUCHDB_URL": self.links[name, "database"].url}
        self.mill.launch(name, ["-m", f"imagemill.{name.split(':')[0]}"], servers | self.clocks[name].environment)

    def stop_keeping(self) -> None:
        """From now on what dies stays dead."""
        self._ending.set()
        if self._keeper.is_alive():
            self._keeper.join()

    def _keep(self) -> None:
        while not self._ending.wait(0.5):
            with self._lock:
                for name in PROGRAMS:
                    if not self.mill.running(name):
                        self._launch(name)

    # --- faults: each takes a while and is over when it returns ---------------------------------------

    def faults(self, chance: random.Random) -> Sequence[Fault]:
        """Each kind once."""
        name, seconds, queue = chance.choice(PROGRAMS), chance.uniform(0.5, 6), chance.choice(QUEUES)
        server, ahead, role = chance.choice(("broker", "database")), clocks.drawn(chance), _role(name)
        faults = [
            Fault(3, f"kill {role}", name, lambda: self.kill(name)),
            Fault(2, f"end {role}", name, lambda: self.end(name)),
            Fault(2, f"pause {role}", name, lambda: self.pause(name, seconds)),
            Fault(2, f"cut {role} from {server}", name, lambda: self.cut(name, server, 2 * seconds)),
            Fault(1, f"cut {role} from both", name, lambda: self.cut_off(name, 2 * seconds)),
            Fault(2, f"clock of {role}", f"{name} {ahead:+} s", lambda: self.set_clock(name, ahead)),
            Fault(1, "kill broker", "", lambda: self.kill_broker(seconds)),
            Fault(1, "memory alarm", "", lambda: self.alarm(seconds)),
            Fault(1, "disk alarm", "", lambda: self.fill_disk(seconds)),
            Fault(1, "delete a queue", queue, lambda: self.delete_queue(queue)),
            Fault(1, "close connections", "", self.close_connections),
        ]
        if couch := self.own_couch:
            faults += [
                Fault(1, "kill database", "", lambda: self.kill_database(couch, seconds)),
                Fault(1, "freeze database", "", lambda: self.freeze_database(couch, seconds)),
            ]
        return faults + (self._nodes.faults(chance) if self._nodes else [])

    def second(self, chance: random.Random) -> Fault:
        """A program dies."""
        name = chance.choice(PROGRAMS)
        return Fault(1, f"kill {_role(name)}", name, lambda: self.kill(name))

    def loss(self) -> Fault:
        """As a broker whose disk was lost."""
        return Fault(1, "lose all messages", "", self.lose_all_messages)

    def mend(self) -> None:
        """Clocks are right again, as after a correction by NTP."""
        for clock in self.clocks.values():
            clock.set(0)

    def kill(self, name: str) -> None:
        """SIGKILL; the keeper starts it again."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            self.mill.signal(name, signal.SIGKILL)

    def end(self, name: str) -> None:
        """SIGTERM; likewise."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            self.mill.signal(name, signal.SIGTERM)

    def pause(self, name: str, seconds: float) -> None:
        """SIGSTOP for a while, to all its processes."""
        with contextlib.suppress(ProcessLookupError):
            self.mill.signal(name, signal.SIGSTOP)
            time.sleep(seconds)
            self.mill.signal(name, signal.SIGCONT)

    def kill_broker(self, seconds: float) -> None:
        """Without it for a while."""
        self.rabbit.kill()
        time.sleep(seconds)
        self.rabbit.start()

    def kill_database(self, server: LocalServer, seconds: float) -> None:
        """Without it for a while."""
        server.kill()
        time.sleep(seconds)
        server.start()

    def freeze_database(self, server: LocalServer, seconds: float) -> None:
        """It takes connections and says nothing."""
        os.kill(server.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(server.pid, signal.SIGCONT)

    def alarm(self, seconds: float) -> None:
        """The broker blocks publishers."""
        with memory_alarm(self.rabbit):
            time.sleep(seconds)

    def fill_disk(self, seconds: float) -> None:
        """The broker believes that its disk is full, and blocks publishers."""
        with disk_alarm(self.rabbit):
            time.sleep(seconds)

    def cut(self, name: str, server: str, seconds: float) -> None:
        """Nothing passes between a program and a server, and neither is told."""
        self.links[name, server].cut(seconds)

    def cut_off(self, name: str, seconds: float) -> None:
        """A program is alone."""
        alone = [threading.Thread(target=self.cut, args=(name, server, seconds)) for server in ("broker", "database")]
        for thread in alone:
            thread.start()
        for thread in alone:
            thread.join()

    def set_clock(self, name: str, ahead_seconds: int) -> None:
        """A program's clock jumps, and stays wrong."""
        self.clocks[name].set(ahead_seconds)

    def delete_queue(self, name: str) -> None:
        """With all that is in it."""
        self._with_channel(lambda channel: channel.queue_delete(name))

    def lose_all_messages(self) -> None:
        """Delete every queue."""
        for name in QUEUES:
            self.delete_queue(name)

    def close_connections(self) -> None:
        """Every program loses its connections to the broker."""
        with requests.Session() as broker:
            broker.auth = (self.rabbit.user, self.rabbit.password)
            address = f"{self.rabbit.management_url}/api/connections"
            for connection in broker.get(address, timeout=30).json():
                broker.delete(f"{address}/{connection['name']}", timeout=30)

    def _with_channel(self, use: Callable[[pika.channel.Channel], object]) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self.rabbit.amqp_url))
        use(connection.channel())
        connection.close()


def _role(name: str) -> str:
    return name.split(":")[0]
