"""A broker's addresses and certificates out of a Secret. What is wrong is said without what the Secret holds."""

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import pika

AMQP, MANAGEMENT, METRICS = "amqp-url", "management-url", "metrics-url"
CA, CERTIFICATE, KEY = "ca.crt", "tls.crt", "tls.key"
KEYS = (AMQP, MANAGEMENT, METRICS, CA, CERTIFICATE, KEY)
SCHEMES = {AMQP: ("amqp", "amqps"), MANAGEMENT: ("http", "https"), METRICS: ("http", "https")}


class SecretProblem(Exception):  # noqa: N818 the pool is told, nothing went wrong here
    """A Secret cannot be used: a reason in one word, and a sentence without anything secret."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True, slots=True)
class BrokerSecret:
    """Where a broker is, who we are there, and whom we believe. ``tls`` None leaves that to the system."""

    broker_metrics_urls: tuple[str, ...] = field(default=(), repr=False)
    amqp_url: str | None = field(default=None, repr=False)
    management_url: str | None = field(default=None, repr=False)
    request_timeout_seconds: float = 5.0
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    @property
    def passwords(self) -> frozenset[str]:
        """What must be told to nobody, as written and as meant."""
        urls = (*self.broker_metrics_urls, self.amqp_url or "", self.management_url or "")
        written = {urlsplit(url).password or "" for url in urls}
        return frozenset(word for each in written for word in (each, unquote(each)) if word)


def read_broker_secret(body: Mapping[str, object], name: str, timeout_seconds: float) -> BrokerSecret:
    """Read a Secret as the API server gives it; raise SecretProblem when no broker follows from it."""
    found = _decoded(body.get("data"), name)
    if not any(key in found for key in SCHEMES):
        raise SecretProblem("AddressMissing", f"Secret {name} has none of the keys {AMQP}, {MANAGEMENT}, {METRICS}.")
    for key in SCHEMES:
        for url in _addresses(found.get(key, "")):
            _check(url, key, name)
    return BrokerSecret(
        broker_metrics_urls=tuple(url.rstrip("/") for url in _addresses(found.get(METRICS, ""))),
        amqp_url=found.get(AMQP),
        management_url=found[MANAGEMENT].rstrip("/") if MANAGEMENT in found else None,
        request_timeout_seconds=timeout_seconds,
        tls=_tls(found, name),
    )


def _decoded(data: object, name: str) -> dict[str, str]:
    found = data if isinstance(data, Mapping) else {}
    try:
        texts = {key: base64.b64decode(found[key], validate=True).decode().strip() for key in KEYS if found.get(key)}
    except (binascii.Error, UnicodeDecodeError, TypeError):
        raise SecretProblem("NotText", f"Secret {name} holds something that is no text.") from None
    return {key: text for key, text in texts.items() if text}


def _addresses(text: str) -> list[str]:
    return [url.strip() for url in text.split(",") if url.strip()]


def _check(url: str, key: str, name: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in SCHEMES[key] and bool(parts.hostname) and parts.port != 0
        if key == AMQP:
            pika.URLParameters(url)
    except ValueError:
        usable = False
    if not usable:
        schemes = " or ".join(f"{scheme}://" for scheme in SCHEMES[key])
        raise SecretProblem("AddressInvalid", f"{key} of Secret {name} is no address that begins with {schemes}.")


def _tls(found: Mapping[str, str], name: str) -> ssl.SSLContext | None:
    if (CERTIFICATE in found) != (KEY in found):
        raise SecretProblem("CertificateInvalid", f"Secret {name} has only one of {CERTIFICATE} and {KEY}.")
    if CA not in found and CERTIFICATE not in found:
        return None
    try:
        context = ssl.create_default_context(cadata=found.get(CA))
        if CERTIFICATE in found:
            with _file(f"{found[CERTIFICATE]}\n{found[KEY]}\n") as path:
                context.load_cert_chain(path, password=_no_passphrase)
    except (ssl.SSLError, ValueError):
        text = f"{CA}, {CERTIFICATE} or {KEY} of Secret {name} is no PEM, or the key is another one's or encrypted."
        raise SecretProblem("CertificateInvalid", text) from None
    return context


def _no_passphrase() -> str:
    """Keep OpenSSL from asking a terminal."""
    raise ValueError("the key is encrypted")


@contextmanager
def _file(text: str) -> Iterator[str]:
    """A path for who reads files alone: in memory where the system can, so that a key is written to no disk."""
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            yield file.name
        return
    with open(os.memfd_create("key"), "w", encoding="utf-8") as file:  # noqa: PTH123 a descriptor is no path
        file.write(text)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
