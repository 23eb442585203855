"""Asks an RTSP server for a stream before FFmpeg does: FFmpeg tells no reasons, and follows redirects anywhere."""

import socket
import ssl

from imagemill.cameras.feeds.policy import FeedRefusedError, Target
from imagemill.cameras.feeds.spec import FeedError, FeedSpec

MOST_ANSWER_BYTES = 16 * 1024


def probe(target: Target, spec: FeedSpec) -> None:
    """Nothing when the stream may be opened, else FeedError with the reason. Sends no credentials."""
    status = _status(target, spec)
    if status == 401 and spec.credentials is None:
        raise FeedError(f"{target.host} asks for a user and a password, and the camera has none")
    if 300 <= status < 400:
        raise FeedRefusedError(f"{target.host} redirects to another address, which is not followed")
    if status == 404:
        raise FeedError(f"{target.host} has no stream at {target.resource.partition('?')[0]}")
    if status not in (200, 401):
        raise FeedError(f"{target.host} does not give the stream, though it speaks RTSP")


def _status(target: Target, spec: FeedSpec) -> int:
    try:
        with socket.create_connection((target.address, target.port), spec.open_timeout_seconds) as plain:
            plain.settimeout(spec.open_timeout_seconds)
            if target.scheme != "rtsps":
                return parse_status(_ask(plain, target))
            with _unverified().wrap_socket(plain, server_hostname=target.host) as secured:
                return parse_status(_ask(secured, target))
    except TimeoutError:
        raise FeedError(f"{target.host} did not answer within {spec.open_timeout_seconds:g} s") from None
    except OSError:
        # Why not would tell which machines and ports there are inside, to whoever may have a camera tested.
        raise FeedError(f"{target.host} cannot be reached at port {target.port}") from None


def _ask(connection: socket.socket, target: Target) -> bytes:
    url = f"{target.scheme}://{target.origin}{target.resource}"
    connection.sendall(f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n".encode())
    answer = b""
    while b"\r\n" not in answer and len(answer) < MOST_ANSWER_BYTES:
        received = connection.recv(4096)
        if not received:
            break
        answer += received
    return answer


def parse_status(answer: bytes) -> int:
    """The status of an RTSP answer; FeedError when it is none."""
    words = answer.split(b"\r\n", 1)[0].split(b" ")
    if len(words) < 2 or not words[0].startswith(b"RTSP/") or not words[1].isdigit() or len(words[1]) != 3:
        raise FeedError("the answer is not RTSP; is the port that of another service?")
    return int(words[1])


def _unverified() -> ssl.SSLContext:
    # FFmpeg does not check an RTSP server's certificate either, and cameras make their own. Only a status is read.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
