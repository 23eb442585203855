"""KEDA's rabbitmq trigger, read as KEDA reads it."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, unquote, urlsplit

from imagemill_operator.convert.fields import Fields
from imagemill_operator.convert.model import Notes, Refused

DEFAULT_QUEUE_LENGTH = 20.0
LITERAL = "the address "
"""How a source begins that is the address itself."""
KNOWN_METADATA = frozenset(
    {
        *("queueName", "useRegex", "operation", "pageSize", "mode", "value", "queueLength", "activationValue"),
        *("host", "hostFromEnv", "usernameFromEnv", "passwordFromEnv", "protocol", "vhostName"),
        *("excludeUnacknowledged", "timeout", "unsafeSsl"),
    }
)


class TriggerMode(StrEnum):
    """What a trigger looks at."""

    QUEUE_LENGTH = "QueueLength"
    MESSAGE_RATE = "MessageRate"
    DELIVER_GET_RATE = "DeliverGetRate"
    RATIO = "PublishedToDeliveredRatio"
    CONSUMPTION_TIME = "ExpectedQueueConsumptionTime"


@dataclass(frozen=True, slots=True)
class RabbitTrigger:
    """One rabbitmq trigger. ``vhost`` and ``protocol`` are None when the manifest does not tell them.

    ``is_average`` is KEDA's metricType AverageValue: so much for each replica. ``broker`` says where the parts of the
    broker's address are.
    """

    name: str
    path: str
    queue: str
    vhost: str | None
    protocol: str | None
    mode: TriggerMode
    value: float
    activation: float
    is_average: bool
    counts_unacked: bool
    broker: tuple[str, ...]


def parse_trigger(trigger: Fields, deployment: str, namespace: str, notes: Notes) -> RabbitTrigger:
    """Read a trigger; raise Refused for what no pool can express, or KEDA itself would not take."""
    metadata = trigger.object("metadata")
    host = _host(metadata)
    protocol = _protocol(metadata, host)
    mode, value = _objective(metadata)
    _note_side_issues(metadata, notes)
    return RabbitTrigger(
        name=trigger.text("name"),
        path=trigger.path,
        queue=_queue(metadata),
        vhost=metadata.text("vhostName") or (None if host is None else _vhost(host)),
        protocol=protocol,
        mode=mode,
        value=value,
        activation=metadata.number("activationValue"),
        is_average=trigger.text("metricType", "AverageValue") == "AverageValue",
        counts_unacked=protocol != "amqp" and not metadata.flag("excludeUnacknowledged"),
        broker=_broker(trigger, host, deployment, namespace),
    )


def _queue(metadata: Fields) -> str:
    queue = metadata.text("queueName")
    if metadata.flag("useRegex"):
        operation = metadata.text("operation", "sum")
        raise Refused(
            f"{metadata.path} matches queues by the regular expression {queue}, and takes their {operation}. A pool "
            "names its queues, and adds their backlogs up. Replace the trigger by one for each queue that "
            "`rabbitmqctl list_queues name` shows, and convert again."
        )
    if not 0 < len(queue) <= 255:
        raise Refused(f"{metadata.path}.queueName has {len(queue)} characters: name the queue, with at most 255.")
    return queue


def _objective(metadata: Fields) -> tuple[TriggerMode, float]:
    length, value, mode = metadata.number("queueLength"), metadata.number("value"), metadata.text("mode")
    if mode in ("", "Unknown"):
        if value:
            raise Refused(f"{metadata.path} has a value and no mode, which KEDA refuses too: add mode: QueueLength.")
        return TriggerMode.QUEUE_LENGTH, _positive(metadata, length or DEFAULT_QUEUE_LENGTH)
    if length:
        raise Refused(f"{metadata.path} has both mode and queueLength, which KEDA refuses too: take out queueLength.")
    if mode not in list(TriggerMode):
        raise Refused(f"{metadata.path}.mode is {mode}: it must be one of {', '.join(TriggerMode)}.")
    return TriggerMode(mode), _positive(metadata, value)


def _positive(metadata: Fields, value: float) -> float:
    if value <= 0:
        raise Refused(f"{metadata.path}.value is {value:g}: it must be greater than 0.")
    return value


def _host(metadata: Fields) -> SplitResult | None:
    """The address, when it stands in the manifest and can be read."""
    text = metadata.text("host")
    try:
        return urlsplit(text) if text else None
    except ValueError:
        return None


def _protocol(metadata: Fields, host: SplitResult | None) -> str | None:
    protocol = metadata.text("protocol", "auto")
    if protocol not in ("amqp", "http", "auto"):
        raise Refused(f"{metadata.path}.protocol is {protocol}: it must be amqp, http or auto.")
    if protocol != "auto":
        return protocol
    return {"amqp": "amqp", "amqps": "amqp", "http": "http", "https": "http"}.get(host.scheme if host else "")


def _vhost(host: SplitResult) -> str:
    """The last part of an HTTP address, all of the path of an AMQP address; the default virtual host if it is empty."""
    path = host.path.removeprefix("/") if host.scheme.startswith("amqp") else host.path.rpartition("/")[2]
    return unquote(path) or "/"


def _broker(trigger: Fields, host: SplitResult | None, deployment: str, namespace: str) -> tuple[str, ...]:
    """Say where the address is. No user and no password is repeated."""
    variable = trigger.object("metadata").text("hostFromEnv")
    reference = trigger.object("authenticationRef")
    sources = {
        "" if host is None else f"{LITERAL}{host.scheme}://{host.netloc.rpartition('@')[2]}": host is not None,
        authentication_source(reference, namespace): reference.has("name"),
        f"the variable {variable} of the containers of Deployment {deployment}": bool(variable) and host is None,
    }
    found = tuple(source for source, is_there in sources.items() if is_there)
    if not found:
        raise Refused(f"{trigger.path} has neither host nor hostFromEnv nor authenticationRef, which KEDA refuses too.")
    return found


def authentication_source(reference: Fields, namespace: str) -> str:
    """Name what an authenticationRef refers to: ``TriggerAuthentication jobs/rabbit``."""
    kind = reference.text("kind", "TriggerAuthentication")
    inside = namespace if kind == "TriggerAuthentication" else ""
    return f"{kind} {f'{inside}/' if inside else ''}{reference.text('name')}"


def _note_side_issues(metadata: Fields, notes: Notes) -> None:
    if metadata.flag("unsafeSsl"):
        notes.lost(
            f"{metadata.path}.unsafeSsl: the operator always checks certificates. Mount the broker's CA into its pod "
            "and name the file in the variable SSL_CERT_FILE."
        )
    if metadata.has("usernameFromEnv"):
        notes.add(
            "User and password are in variables: they belong into the operator's address, scheme://user:password@host."
        )
    if metadata.has("timeout"):
        notes.add(f"{metadata.path}.timeout: IMAGEMILL_REQUEST_TIMEOUT_SECONDS of the operator holds for all pools.")
    unknown = sorted(str(name) for name in metadata.values if name not in KNOWN_METADATA)
    if unknown:
        notes.add(f"{metadata.path} has fields that KEDA's rabbitmq trigger does not read: {', '.join(unknown)}.")
