"""What can go wrong in a cluster: every pod, the broker's volumes, and the network between them; all by kubectl."""

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from imagemill_e2e.cluster import RELEASE, Cluster
from imagemill_e2e.forward import Forward
from imagemill_e2e.network import without_way_to

from chaos.api import Api
from chaos.faults import Fault

_NAME = f"{RELEASE}-imagemill"
_PROGRAMS = ("api", "writer", "worker-default", "journal")
_PODS = (*_PROGRAMS, "operator", "rabbitmq", "couchdb")
_POLICIES = ("api", "programs", "operator")
_PORTS = {"broker": {5671, 5672}, "database": {5984, 6984}}
_QUEUES = ("work.default", "results.0", "results.1", "results.2", "results.3", "dead.default")
_BROKER = f"{_NAME}-rabbitmq-0"
_READY_SECONDS = 300
# Runs beside the database, as a program that may read it.
_LISTED = """
import json, sys
from imagemill.cli.beside import settings_and_stores
from imagemill.store.blobs.places import open_blobs
settings, stores = settings_and_stores()
print(json.dumps(sorted(open_blobs(settings, stores.admin).listed(json.load(sys.stdin)))))
"""


class ClusterSite:
    """A release of the chart, with a broker of three nodes, that Kubernetes and the operator keep going."""

    def __init__(self, namespace: str, context: str) -> None:
        self.cluster = Cluster(context, namespace)
        self._forward = Forward(self.cluster)

    def start(self) -> None:
        """It is there; find the way to it."""
        self.cluster.settle()
        self._forward.__enter__()
        self.api = Api(self._forward.url, self.cluster.admin_token())

    def close(self) -> None:
        """The release stays."""
        self._forward.__exit__()

    def mend(self) -> None:
        """Kubernetes does the rest."""
        self._forward.renew()

    def faults(self, chance: random.Random) -> Sequence[Fault]:
        """Each kind once."""
        pod, program, queue = chance.choice(_PODS), chance.choice(_PROGRAMS), chance.choice(_QUEUES)
        server, seconds, policy = chance.choice(list(_PORTS)), chance.uniform(5, 20), chance.choice(_POLICIES)
        return [
            Fault(4, f"kill {pod}", "", lambda: self._kill(pod)),
            Fault(3, f"evict {pod}", "", lambda: self._evict(pod)),
            Fault(1, f"restart {program}", "one pod after the other", lambda: self._restart(program)),
            Fault(3, f"cut {policy} from {server}", f"{seconds:.0f} s", lambda: self._cut(policy, server, seconds)),
            Fault(1, "memory alarm", f"{seconds:.0f} s", lambda: self._memory_alarm(seconds)),
            Fault(1, "disk alarm", f"{seconds:.0f} s", lambda: self._disk_alarm(seconds)),
            Fault(1, "delete a queue", queue, lambda: self._in_broker("delete_queue", queue)),
            Fault(1, "close connections", "", lambda: self._in_broker("close_all_connections", "chaos")),
        ]

    def second(self, chance: random.Random) -> Fault:
        """A program dies."""
        program = chance.choice(_PROGRAMS)
        return Fault(1, f"kill {program}", "", lambda: self._kill(program))

    def loss(self) -> Fault:
        """The broker with all its volumes."""
        return Fault(1, "lose the broker's volumes", "", self._lose_the_broker)

    def bytes_there(self, hashes: Sequence[str]) -> set[str]:
        """Those of them that are stored."""
        pod = self.cluster.running("writer")[0]
        told = self.cluster.kubectl("exec", "--stdin", pod, "--", "python", "-c", _LISTED, stdin=json.dumps(hashes))
        return set(json.loads(told))

    def verify(self) -> object:
        """What is wrong, if anything."""
        pod = self.cluster.running("writer")[0]
        told = self.cluster.execute(pod, "sh", "-c", "imagemill verify --all --json || [ $? = 1 ]")
        return json.loads(told)["wrong"]

    # --- faults -----------------------------------------------------------------------------------------

    def _kill(self, component: str) -> None:
        self.cluster.kill(component)
        self._renew_after(component)

    def _evict(self, component: str) -> None:
        self.cluster.stop(self.cluster.running(component)[0])
        self._renew_after(component)

    def _renew_after(self, component: str) -> None:
        if component == "api":
            self._forward.renew()
        if component in ("rabbitmq", "couchdb"):  # a single fault: the next waits until this one is over
            self.cluster.wait_ready(component, 3 if component == "rabbitmq" else 1, _READY_SECONDS)

    def _restart(self, program: str) -> None:
        self.cluster.kubectl("rollout", "restart", f"deployment/{_NAME}-{program}")
        self.cluster.kubectl("rollout", "status", f"deployment/{_NAME}-{program}", f"--timeout={_READY_SECONDS}s")
        self._renew_after(program)

    def _cut(self, policy: str, server: str, seconds: float) -> None:
        with without_way_to(self.cluster, f"{_NAME}-{policy}", _PORTS[server]):
            time.sleep(seconds)

    def _memory_alarm(self, seconds: float) -> None:
        with self._set("vm_memory_high_watermark", "0.00001", "0.6"):
            time.sleep(seconds)

    def _disk_alarm(self, seconds: float) -> None:
        before = self.cluster.execute(_BROKER, "rabbitmqctl", "eval", "rabbit_disk_monitor:get_disk_free_limit().")
        with self._set("disk_free_limit", "1000000000000000", before.strip()):
            time.sleep(seconds)

    @contextmanager
    def _set(self, what: str, broken: str, sound: str) -> Iterator[None]:
        self._in_broker(f"set_{what}", broken)
        try:
            yield
        finally:
            self._in_broker(f"set_{what}", sound)

    def _in_broker(self, *command: str) -> None:
        self.cluster.execute(_BROKER, "rabbitmqctl", *command)

    def _lose_the_broker(self) -> None:
        name, selector = f"statefulset/{_NAME}-rabbitmq", "app.kubernetes.io/component=rabbitmq"
        self.cluster.kubectl("scale", name, "--replicas=0")
        self.cluster.kubectl("wait", "pod", "--for=delete", "--selector", selector, f"--timeout={_READY_SECONDS}s")
        self.cluster.kubectl("delete", "pvc", "--selector", selector, f"--timeout={_READY_SECONDS}s")
        self.cluster.kubectl("scale", name, "--replicas=3")
        self.cluster.wait_ready("rabbitmq", 3, _READY_SECONDS)
