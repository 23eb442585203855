"""What the operator is told by its environment."""

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pika

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field has one variable of the environment; ``from_env`` names them.

    ``broker_metrics_urls`` are base addresses of RabbitMQ's Prometheus plugin. A host name with several addresses (a
    headless Service) is read at each of them. ``amqp_url`` is for the live look at pools that sleep,
    ``management_url`` for queues that no node's metrics tell. Each of the three may be missing, not all; with
    ``amqp_url`` alone all pools are looked at live, and nobody tells which messages are in work or acknowledged. With
    ``pools_token`` only who sends it is told of the pools; who sends ``pools_steer_token`` may pause them and set their
    bounds, a maximum to ``pools_most_replicas``, and without it nobody. ``broker_secrets`` are those that pools may
    name in ``brokerRef``; then the operator needs no broker of its own.
    """

    namespace: str
    broker_metrics_urls: tuple[str, ...] = ()
    amqp_url: str | None = None
    management_url: str | None = None
    tick_seconds: float = 2.0
    request_timeout_seconds: float = 5.0
    listen_host: str = "0.0.0.0"  # noqa: S104 probes and Prometheus come from other hosts
    listen_port: int = 8080
    pools_token: str | None = field(default=None, repr=False)
    pools_steer_token: str | None = field(default=None, repr=False)
    pools_most_replicas: int = 100
    broker_secrets: frozenset[str] = frozenset()
    lease_name: str = "imagemill-operator"
    lease_seconds: float = 15.0
    identity: str = "imagemill-operator"
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not (self.has_broker or self.broker_secrets):
            raise ValueError(
                "no broker is given: set IMAGEMILL_BROKER_METRICS_URL (best), AMQP_URL or "
                "IMAGEMILL_BROKER_MANAGEMENT_URL, or IMAGEMILL_BROKER_SECRETS if pools name their own"
            )
        if self.amqp_url is not None:
            _check_amqp_url(self.amqp_url)
        if self.tick_seconds <= 0:
            raise ValueError(f"IMAGEMILL_TICK_SECONDS is {self.tick_seconds:g}: it must be greater than 0")

    @property
    def has_broker(self) -> bool:
        """Whether there is a broker for pools that name none."""
        return bool(self.broker_metrics_urls or self.amqp_url or self.management_url)

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment; a value that is not a number is refused with its name."""
        urls = env.get("IMAGEMILL_BROKER_METRICS_URL", "")
        return cls(
            namespace=env.get("IMAGEMILL_NAMESPACE") or _own_namespace(),
            broker_metrics_urls=tuple(url.rstrip("/") for url in _names(urls)),
            amqp_url=env.get("AMQP_URL") or None,
            management_url=(env.get("IMAGEMILL_BROKER_MANAGEMENT_URL") or "").rstrip("/") or None,
            tick_seconds=_number(env, "IMAGEMILL_TICK_SECONDS", 2.0),
            request_timeout_seconds=_number(env, "IMAGEMILL_REQUEST_TIMEOUT_SECONDS", 5.0),
            listen_host=env.get("IMAGEMILL_LISTEN_HOST", "0.0.0.0"),  # noqa: S104
            listen_port=int(_number(env, "IMAGEMILL_LISTEN_PORT", 8080)),
            pools_token=env.get("IMAGEMILL_POOLS_TOKEN") or None,
            pools_steer_token=env.get("IMAGEMILL_POOLS_STEER_TOKEN") or None,
            pools_most_replicas=int(_number(env, "IMAGEMILL_POOLS_MOST_REPLICAS", 100)),
            broker_secrets=frozenset(_names(env.get("IMAGEMILL_BROKER_SECRETS", ""))),
            lease_name=env.get("IMAGEMILL_LEASE_NAME", "imagemill-operator"),
            lease_seconds=_number(env, "IMAGEMILL_LEASE_SECONDS", 15.0),
            identity=env.get("POD_NAME") or f"{socket.gethostname()}-{secrets.token_hex(4)}",
            log_level=env.get("IMAGEMILL_LOG_LEVEL", "INFO").upper(),
        )


def _check_amqp_url(url: str) -> None:
    """Refuse at the start what would fail in every tick. The password is not repeated."""
    try:
        parts = urlsplit(url)
        pika.URLParameters(url)
        usable = parts.scheme in ("amqp", "amqps") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("AMQP_URL cannot be used: it must be like amqp://user:password@host:5672/vhost")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}: it must be a number") from None


def _own_namespace() -> str:
    return NAMESPACE_FILE.read_text().strip() if NAMESPACE_FILE.exists() else "default"
