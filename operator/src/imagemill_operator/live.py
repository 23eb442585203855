"""Passive declares: how many messages wait right now, at the price of one frame for each queue."""

import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pika
import pika.exceptions

from imagemill_operator.depth import LiveReading, QueueName

HEARTBEAT_SECONDS = 10
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 10.0
"""A virtual host that does not answer is asked again after the first, twice as late each time, at last so often."""


@dataclass(slots=True)
class _Vhost:
    """One connection, and after how many failures in a row it is tried again when."""

    connection: Any = None
    channel: Any = None
    failures: int = 0
    error: str = ""
    again_at: float = 0.0


class LiveDepth:
    """One connection per virtual host, kept between ticks. Used from one thread at a time.

    A virtual host that does not answer is left alone for a while, longer each time, and keeps none of the others from
    answering. The answers count ready messages only, and both numbers are 0 for a quorum queue without leader.
    """

    def __init__(
        self,
        amqp_url: str,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url, self._timeout, self._clock, self._tls = amqp_url, timeout_seconds, clock, tls
        self._vhosts: dict[str, _Vhost] = {}

    def look(self, queues: Iterable[QueueName]) -> tuple[dict[QueueName, LiveReading], list[str]]:
        """Return what waits, and a sentence for each virtual host that did not answer.

        Queues that do not exist are missing.
        """
        by_vhost: dict[str, list[str]] = {}
        for vhost, name in queues:
            by_vhost.setdefault(vhost, []).append(name)
        found: dict[QueueName, LiveReading] = {}
        errors: list[str] = []
        for vhost, names in by_vhost.items():
            known = self._vhosts.setdefault(vhost, _Vhost())
            if self._clock() >= known.again_at:
                found.update(self._look_at(vhost, names, known))
            if known.error:
                errors.append(known.error)
        return found, errors

    def _look_at(self, vhost: str, names: list[str], known: _Vhost) -> dict[QueueName, LiveReading]:
        """A connection that was kept may have ended meanwhile: it is made anew once, without a word."""
        kept = known.connection is not None
        try:
            answers = {(vhost, name): self._declare(vhost, name, known) for name in names}
        except (pika.exceptions.AMQPError, OSError) as problem:
            _close(known)
            if kept:
                return self._look_at(vhost, names, known)
            self._note_failure(vhost, known, problem)
            return {}
        known.failures, known.error = 0, ""
        return {queue: answer for queue, answer in answers.items() if answer is not None}

    def _note_failure(self, vhost: str, known: _Vhost, problem: Exception) -> None:
        known.failures += 1
        wait = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (known.failures - 1))
        known.again_at = self._clock() + wait
        known.error = f"The broker does not answer over AMQP for virtual host {vhost}: {problem!r}"

    def _declare(self, vhost: str, name: str, known: _Vhost) -> LiveReading | None:
        if known.connection is None or not known.connection.is_open:
            known.connection = pika.BlockingConnection(self._parameters(vhost))
            known.channel = None
        if known.channel is None or not known.channel.is_open:
            known.channel = known.connection.channel()
        try:
            answer = known.channel.queue_declare(name, passive=True).method
        except pika.exceptions.ChannelClosedByBroker:
            known.channel = None
            return None
        return LiveReading(int(answer.message_count), int(answer.consumer_count))

    def _parameters(self, vhost: str) -> Any:
        """A short heartbeat ends a wait for a broker that is gone; an idle connection may end by it, and is renewed."""
        parameters = pika.URLParameters(self._url)
        parameters.virtual_host = vhost
        if self._tls is not None and parameters.ssl_options is not None:
            parameters.ssl_options = pika.SSLOptions(self._tls, parameters.host)
        parameters.heartbeat = HEARTBEAT_SECONDS
        parameters.socket_timeout = parameters.stack_timeout = self._timeout
        parameters.blocked_connection_timeout = self._timeout
        parameters.connection_attempts = 1
        parameters.client_properties = {"connection_name": "imagemill-operator"}
        return parameters

    def close(self) -> None:
        """Close what is open."""
        for known in self._vhosts.values():
            _close(known)


def _close(known: _Vhost) -> None:
    connection, known.connection, known.channel = known.connection, None, None
    with suppress(pika.exceptions.AMQPError, OSError):
        if connection is not None and connection.is_open:
            connection.close()
