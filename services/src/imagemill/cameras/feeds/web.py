"""Pictures over HTTP: a stream of JPEGs (MJPEG), or one picture per request. They are passed on as they come."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from imagemill.admission import headers
from imagemill.cameras.feeds.grabs import Grab, Waiter
from imagemill.cameras.feeds.login import Login
from imagemill.cameras.feeds.multipart import JpegSplitter
from imagemill.cameras.feeds.policy import FeedPolicy, FeedRefusedError, Target, check_url
from imagemill.cameras.feeds.spec import MAX_FRAME_BYTES, FeedError, FeedSpec
from imagemill.cameras.feeds.timing import FrameGate

MOST_REDIRECTS = 3
CHUNK_BYTES = 64 * 1024
# Neither its status nor its length: they would tell of services that are no cameras.
_NO_PICTURE = "something that is not a picture; is the address that of a web page, or of another service?"


class _PinnedAdapter(HTTPAdapter):
    """Connects to the address that was checked; certificates are checked against the host's name."""

    def __init__(self, host: str) -> None:
        self._host = host
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """Called by the base class."""
        if self._host:
            options |= {"server_hostname": self._host, "assert_hostname": self._host}
        super().init_poolmanager(connections, maxsize, block, **options)


class PictureClient:
    """Requests to one camera. Redirects are followed within its own origin only."""

    def __init__(self, target: Target, spec: FeedSpec) -> None:
        self._target = target
        self._timeouts = (spec.open_timeout_seconds, spec.read_timeout_seconds)
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no .netrc: the address was checked, nothing else was
        self._session.mount(f"{target.scheme}://", _PinnedAdapter(target.host if target.scheme == "https" else ""))
        self._login = Login(spec.credentials) if spec.credentials else None

    def open(self) -> requests.Response:
        """The answer to a GET, its body not yet read; FeedError when it is not 200."""
        resource = self._target.resource
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._authorized(resource)
            if not answer.is_redirect:
                return self._checked(answer)
            resource = self._redirected(answer)
        raise FeedError(f"{self._target.host} redirects more than {MOST_REDIRECTS} times")

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()

    def _authorized(self, resource: str) -> requests.Response:
        answer = self._get(resource)
        challenge = answer.headers.get("www-authenticate", "")
        if answer.status_code == 401 and self._login and self._login.challenged(challenge):
            answer.close()  # unread: a body without an end must not be waited for
            answer = self._get(resource)
        return answer

    def _get(self, resource: str) -> requests.Response:
        url = f"{self._target.scheme}://{self._target.pinned_origin}{resource}"
        wanted = {"Host": self._target.origin, "Accept": "image/jpeg, multipart/x-mixed-replace, image/*;q=0.5"}
        if self._login and (header := self._login.header(url)):
            wanted["Authorization"] = header
        try:
            return self._session.get(url, headers=wanted, timeout=self._timeouts, stream=True, allow_redirects=False)
        except requests.Timeout:
            raise FeedError(f"{self._target.host} did not answer within {self._timeouts[1]:g} s") from None
        except requests.exceptions.SSLError:
            raise FeedError(f"{self._target.host} has no certificate that is trusted") from None
        except (requests.RequestException, ValueError):
            # Why not would tell which machines and ports there are inside, to whoever may have a camera tested.
            raise FeedError(f"{self._target.host} cannot be reached at port {self._target.port}") from None

    def _checked(self, answer: requests.Response) -> requests.Response:
        if answer.status_code == 200:
            return answer
        answer.close()
        if answer.status_code in (401, 403):
            raise FeedError(f"{self._target.host} refused the user or the password ({answer.status_code})")
        if answer.status_code == 404:
            raise FeedError(f"{self._target.host} has nothing at {self._target.resource.partition('?')[0]}")
        raise FeedError(f"{self._target.host} answered with {_NO_PICTURE}")

    def _redirected(self, answer: requests.Response) -> str:
        here = f"{self._target.scheme}://{self._target.origin}{answer.request.path_url}"
        there = urlsplit(urljoin(here, answer.headers["location"]))
        answer.close()
        if (there.scheme, there.netloc.lower()) != (self._target.scheme, self._target.origin):
            raise FeedRefusedError(f"{self._target.host} redirects to another address, which is not followed")
        return (there.path or "/") + (f"?{there.query}" if there.query else "")


def web_grabs(spec: FeedSpec, policy: FeedPolicy, stop: Waiter) -> Iterator[Grab]:
    """Frames of a camera over HTTP; what its first answer is decides how it is read."""
    client = PictureClient(check_url(spec.address, policy), spec)
    try:
        answer = client.open()
        if is_stream(answer.headers.get("content-type", "")):
            yield from _stream(answer, spec, stop)
        else:
            yield from _snapshots(client, answer, spec, stop)
    except (requests.RequestException, HTTPError, OSError) as error:
        host = urlsplit(spec.address).hostname
        raise FeedError(f"the connection to {host} was lost: {type(error).__name__}") from None
    finally:
        client.close()


def is_stream(content_type: str) -> bool:
    """MJPEG over HTTP, by its content type."""
    return content_type.lower().partition(";")[0].strip() in ("multipart/x-mixed-replace", "multipart/mixed")


def _stream(answer: requests.Response, spec: FeedSpec, stop: Waiter) -> Iterator[Grab]:
    gate, splitter, began = FrameGate(spec.interval_seconds), JpegSplitter(), time.monotonic()
    deadline = began + spec.read_timeout_seconds
    with answer:
        for chunk in _chunks(answer):
            if stop.is_set():
                return
            position = time.monotonic() - began
            for data in splitter.feed(chunk):
                deadline = began + position + spec.read_timeout_seconds
                if gate.is_due(position):
                    yield Grab(time.time(), checked_picture(data), position)
            _check_deadline(deadline, spec)
    raise FeedError(f"the stream of {urlsplit(spec.address).hostname} ended")


def _check_deadline(deadline: float, spec: FeedSpec) -> None:
    # The connection's own time limit is for one read: a camera that sends a byte a second would never reach it.
    if time.monotonic() > deadline:
        raise FeedError(f"no whole picture came within {spec.read_timeout_seconds:g} s")


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """What has arrived, as it arrives: waiting until a chunk is full would keep pictures back for seconds."""
    raw = answer.raw
    while chunk := raw.read1(CHUNK_BYTES):
        yield chunk


def _snapshots(client: PictureClient, first: requests.Response, spec: FeedSpec, stop: Waiter) -> Iterator[Grab]:
    began, answer, asked = time.monotonic(), first, 0
    while True:
        with answer:
            data = checked_picture(_body(answer, spec))
        yield Grab(time.time(), data, time.monotonic() - began)
        asked = max(asked + 1, int((time.monotonic() - began) / spec.interval_seconds))
        if stop.wait(max(0.0, began + asked * spec.interval_seconds - time.monotonic())):
            return
        answer = client.open()


def _body(answer: requests.Response, spec: FeedSpec) -> bytes:
    data, deadline = bytearray(), time.monotonic() + spec.read_timeout_seconds
    for chunk in _chunks(answer):
        data += chunk
        _check_deadline(deadline, spec)
        if len(data) > MAX_FRAME_BYTES:
            raise FeedError(f"the camera sends a picture of more than {MAX_FRAME_BYTES:,} bytes")
    return bytes(data)


def checked_picture(data: bytes) -> bytes:
    """The same bytes when they begin like a picture; what is in them is decided where they are decoded."""
    if headers.sniff(data) is None:
        raise FeedError(f"the camera answered with {_NO_PICTURE}")
    return data
