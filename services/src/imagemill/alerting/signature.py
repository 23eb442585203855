"""The webhook's signature: HMAC-SHA256 over the timestamp, a dot and the body, so that neither can be replaced."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

TIMESTAMP_HEADER = "Imagemill-Timestamp"
SIGNATURE_HEADER = "Imagemill-Signature"
SCHEME = "v1="
# A receiver's clock may differ; what is older than five minutes may be a repetition by somebody else.
TOLERANCE_SECONDS = 300.0
LEAST_SECRET_BYTES = 16


class SignatureError(ValueError):
    """The request is not from who has the secret, or not from now; the message says which."""


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """The value of the signature header."""
    if len(secret) < LEAST_SECRET_BYTES:
        raise ValueError(f"the webhook's secret has {len(secret)} bytes; it needs at least {LEAST_SECRET_BYTES}")
    return SCHEME + hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def verify(
    secrets: Sequence[bytes],
    headers: Mapping[str, str],
    body: bytes,
    now: float,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> None:
    """Nothing when any of the secrets signed it (two during a change of secrets), else SignatureError.

    `headers` may be in any case. The time is looked at only after the signature: an unsigned one tells nothing.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp, signature = given.get(TIMESTAMP_HEADER.lower(), ""), given.get(SIGNATURE_HEADER.lower(), "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise SignatureError(f"the header {TIMESTAMP_HEADER} is missing or no number of seconds")
    # Every secret is tried and bytes are compared in constant time, so that the duration tells nothing.
    matches = [hmac.compare_digest(sign(key, int(timestamp), body).encode(), signature.encode()) for key in secrets]
    if not any(matches):
        raise SignatureError("the signature is not of this body, this time and a known secret")
    if abs(now - int(timestamp)) > tolerance_seconds:
        raise SignatureError(f"the request is {abs(now - int(timestamp)):.0f} s away from now; it may be a repetition")
