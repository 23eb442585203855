"""Which programs run, and with which environment: pure, without starting anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagemill.local.settings import LocalSettings

# Started in this order. A program more is a line more.
PROGRAMS = ("writer", "journal", "analyzer", "alerter", "camera", "api")
WORKER = "worker"
# As in the images. glibc keeps up to 64 MiB of what a picture leaves for the next one; else it goes back to the system
# after every picture, to be fetched again page by page.
MALLOC = {"MALLOC_TRIM_THRESHOLD_": "67108864", "MALLOC_MMAP_THRESHOLD_": "33554432"}

# Who is told of alerts may well run here too. Whatever the environment says comes first.
DEFAULTS = {"IMAGEMILL_CHANNEL_ALLOW_LOOPBACK": "true"}


@dataclass(frozen=True)
class Process:
    """One process: its name on the console and of its log, its module, what it is told, where it says how it is."""

    name: str
    module: str
    environment: Mapping[str, str] = field(repr=False)
    health_port: int

    @property
    def ready_url(self) -> str:
        """Answers 200 when the process does its work."""
        return f"http://127.0.0.1:{self.health_port}/readyz"

    @property
    def metrics_url(self) -> str:
        """Prometheus' text."""
        return f"http://127.0.0.1:{self.health_port}/metrics"


@dataclass(frozen=True)
class Addresses:
    """Where the servers are, with user and password; `pools_url` is the scaler's page."""

    amqp_url: str = field(repr=False)
    couchdb_url: str = field(repr=False)
    pools_url: str

    def environment(self, settings: LocalSettings) -> dict[str, str]:
        """What every program is told."""
        return {
            "AMQP_URL": self.amqp_url,
            "COUCHDB_URL": self.couchdb_url,
            "IMAGEMILL_CAMERA_CREDENTIALS_FILE": str(credentials_file(settings)),
            "IMAGEMILL_CAMERA_FOLDER": str(settings.camera_folder or settings.home / "cameras"),
            "IMAGEMILL_CHANNELS_FILE": str(settings.channels_file or settings.home / "channels.yaml"),
            "IMAGEMILL_HOME": str(settings.home),
            "IMAGEMILL_PAGE_URL": f"http://127.0.0.1:{settings.port}",
            "IMAGEMILL_PORT": str(settings.port),
            "IMAGEMILL_SECRET_FILES_WRITABLE": "true",
            "IMAGEMILL_POOLS_URL": self.pools_url,
            "PYTHONUNBUFFERED": "1",
        }


def program(name: str, inherited: Mapping[str, str], common: Mapping[str, str], free_port: int) -> Process:
    """A program of which there is one process."""
    own = {"IMAGEMILL_INSTANCE": name, "IMAGEMILL_HEALTH_PORT": str(free_port)}
    return Process(name, f"imagemill.{name}", {**DEFAULTS, **inherited, **common, **own}, free_port)


def worker(pool: str, slot: int, inherited: Mapping[str, str], common: Mapping[str, str], free_port: int) -> Process:
    """One of a pool's workers; `slot` numbers them from 1, so that the number of logs stays bounded."""
    name = f"worker-{pool}-{slot}"
    own = {"IMAGEMILL_INSTANCE": name, "IMAGEMILL_POOL": pool, "IMAGEMILL_HEALTH_PORT": str(free_port)}
    return Process(name, f"imagemill.{WORKER}", {**inherited, **common, **MALLOC, **own}, free_port)


def credentials_file(settings: LocalSettings) -> Path:
    """Where users and passwords of cameras are."""
    return settings.camera_credentials_file or settings.home / "camera-credentials.yaml"


def log_file(home: Path, process_name: str) -> Path:
    """Where a process's output goes."""
    return home / "log" / f"{process_name}.log"
