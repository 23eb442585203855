"""The broker and the database of a run: given ones, or our own."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from imagemill.local.accounts import DEFAULT_VHOST, broker_accounts, couch_accounts, make_broker_users
from imagemill.local.console import step
from imagemill.local.couch import CouchServer, StandInServer, local_couch
from imagemill.local.ports import free_ports
from imagemill.local.rabbit import RabbitPorts, RabbitServer
from imagemill.local.servers import LocalServer, wait_until
from imagemill.local.settings import LocalSettings

STOP_SECONDS = 30.0
USERS = "users"


@dataclass
class Backing:
    """Servers that are ours are started and stopped; given ones are only used."""

    rabbit: RabbitServer | None
    couch: CouchServer | None
    amqp_url: str
    couchdb_url: str

    @property
    def metrics_url(self) -> str | None:
        """Our broker's metrics; a given broker's are unknown."""
        return self.rabbit.metrics_url if self.rabbit else None

    def accounts(self, prefix: str) -> dict[str, dict[str, str]]:
        """What each program is told beside what all are told; nothing where a server was given."""
        couch = couch_accounts(self.couch.url, prefix, self.couch.folder / USERS) if self.couch else {}
        broker = broker_accounts(self.rabbit.amqp_url, self.rabbit.folder / USERS) if self.rabbit else {}
        return {program: couch.get(program, {}) | broker.get(program, {}) for program in {*couch, *broker}}

    @property
    def own(self) -> list[LocalServer]:
        """The servers that this run started."""
        return [server for server in (self.rabbit, self.couch) if server is not None]

    def start(self, given_up: Callable[[], bool]) -> None:
        """Both at once: the broker takes seconds to come up, the stand-in's packages to be installed."""
        if self.own:
            with step(f"Starting {' and '.join(server.name for server in self.own)}"):
                for server in self.own:
                    server.launch()
                for server in self.own:
                    server.await_ready(given_up)
                if self.rabbit and not given_up():
                    make_broker_users(
                        self.rabbit.management_url, (self.rabbit.user, self.rabbit.password),
                        self.rabbit.folder / USERS, DEFAULT_VHOST,
                    )  # fmt: skip

    def stop(self, hurry: Callable[[], bool]) -> None:
        """Both at once, because RabbitMQ takes seconds; by force when `hurry` says so."""
        for server in self.own:
            server.terminate()
        wait_until(lambda: hurry() or not any(server.is_running for server in self.own), STOP_SECONDS)
        for server in self.own:
            server.kill()

    def died(self) -> str | None:
        """A sentence when one of our servers has ended by itself."""
        gone = [server for server in self.own if not server.is_running]
        return f"{gone[0].name} has ended by itself; its log is {gone[0].console}." if gone else None

    def notes(self) -> list[str]:
        """Where the servers are, without passwords, and what a person should know about them."""
        notes = []
        if self.rabbit:
            password = self.rabbit.folder / "password"
            notes.append(
                f"RabbitMQ's page: {self.rabbit.management_url} (user {self.rabbit.user}, password: {password})"
            )
        else:
            notes.append(f"RabbitMQ given by AMQP_URL at {_host(self.amqp_url)}")
        if isinstance(self.couch, StandInServer):
            notes.append("CouchDB is not installed: a stand-in on PouchDB answers, good for development only.")
        elif self.couch is None:
            notes.append(f"CouchDB given by COUCHDB_URL at {_host(self.couchdb_url)}")
        return notes


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def backing_of(settings: LocalSettings) -> Backing:
    """What the settings ask for; nothing is started yet."""
    rabbit = None if settings.amqp_url else RabbitServer(settings.home / "rabbitmq", _rabbit_ports(settings))
    couch = None if settings.couchdb_url else local_couch(settings.home, settings.couchdb_port or None)
    amqp_url = settings.amqp_url.get_secret_value() if settings.amqp_url else ""
    couchdb_url = settings.couchdb_url.get_secret_value() if settings.couchdb_url else ""
    return Backing(rabbit, couch, rabbit.amqp_url if rabbit else amqp_url, couch.url if couch else couchdb_url)


def _rabbit_ports(settings: LocalSettings) -> RabbitPorts:
    amqp, management, metrics = free_ports(3)
    return RabbitPorts.fixed(settings.rabbitmq_port or amqp, settings.rabbitmq_management_port or management, metrics)
