"""The REST client: timeouts, bounded retries, and errors as sentences."""

import random
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from imagemill.concurrency.retry import never_sent, pause_seconds

DEFAULT_API = "http://127.0.0.1:8080"
Json = dict[str, Any]

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 60.0
_ATTEMPTS = 3
_PATIENT_ATTEMPTS = 10
_LONGEST_PAUSE_SECONDS = 30.0
_PAGE = 500
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LOG_IN = " Log in with `imagemill login`, or set IMAGEMILL_TOKEN."
_BUSY = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)


class ApiError(Exception):
    """Something that the person at the console is told in one sentence."""

    exit_code = 1


class NotThere(ApiError):
    """Nothing answers at the address; nothing was sent."""

    exit_code = 3


class Unsure(ApiError):
    """The connection broke after the request was sent: nobody knows whether it was carried out."""


class ProblemAnswer(ApiError):
    """The API says no; `body` is its problem (RFC 9457)."""

    def __init__(self, status: int, body: Json) -> None:
        said = str(body.get("detail") or f"The API answered {status}.")
        super().__init__(said + (_LOG_IN if status == HTTPStatus.UNAUTHORIZED else ""))
        self.status, self.body = status, body
        self.code = str(body.get("code", ""))


class _Bearer(AuthBase):
    """A header alone would give way to what a .netrc says."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Client:
    """One API. May be used from several threads."""

    def __init__(self, url: str, connections: int = 4, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._stopping = threading.Event()
        self._http = requests.Session()
        # A proxy of the environment cannot know what "this machine" is.
        self._http.trust_env = urlsplit(self.url).hostname not in _LOOPBACK
        if token:
            self._http.auth = _Bearer(token)
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=connections))

    def stop(self) -> None:
        """Ends all pauses: what is tried again is tried no more."""
        self._stopping.set()

    def pause(self, seconds: float) -> bool:
        """Waits; False when there is no use in going on."""
        return not self._stopping.wait(seconds)

    def get(self, path: str, **query: Any) -> Json:
        """A JSON answer."""
        return _json(self._answer("GET", path, params=_given(query)), self.url)

    def post(self, path: str, patient: bool = False, **content: Any) -> Json:
        """A JSON answer; `patient` outlasts a restart of the server."""
        return _json(self._answer("POST", path, patient, **content), self.url)

    def put(self, path: str, **content: Any) -> Json:
        """A JSON answer; what is written names the revision which it changes."""
        return _json(self._answer("PUT", path, **content), self.url)

    def delete(self, path: str, **content: Any) -> None:
        """Nothing is answered."""
        self._answer("DELETE", path, **content).close()

    def post_for_bytes(self, path: str, **content: Any) -> bytes:
        """A picture, say."""
        try:
            return self._answer("POST", path, **content).content
        except requests.RequestException as error:
            raise Unsure("The connection broke in the middle of the answer; ask again.") from error

    def pages(self, path: str, of: str, limit: int, **query: Any) -> Iterator[Json]:
        """The entries of a paged list, at most `limit`."""
        after: str | None = None
        while limit > 0:
            page = self.get(path, limit=min(limit, _PAGE), after=after, **query)
            yield from page[of]
            limit, after = limit - len(page[of]), page["next"]
            if after is None:
                return

    def stream(self, path: str, read_seconds: float = _READ_SECONDS, **query: Any) -> requests.Response:
        """An answer whose body is read piece by piece; close it. It may come from where the bytes are."""
        wanted: Json = {"params": _given(query), "stream": True, "read_seconds": read_seconds}
        answer = self._answer("GET", path, allow_redirects=True, **wanted)
        if answer.history and "text/html" in answer.headers.get("Content-Type", ""):
            answer.close()
            raise ApiError(f"{self.url} sends to a page for people, {_without_query(answer.url)}; log in there first.")
        return answer

    def _answer(self, method: str, path: str, patient: bool = False, **content: Any) -> requests.Response:
        for attempt in range(1, _PATIENT_ATTEMPTS if patient else _ATTEMPTS):
            try:
                answer = self._once(method, path, **content)
            except NotThere:
                if not (patient and self.pause(pause_seconds(attempt))):
                    raise
                continue
            if answer.status_code not in _BUSY or not self.pause(busy_pause_seconds(answer.headers, attempt)):
                return _checked(answer)
            answer.close()
        return _checked(self._once(method, path, **content))

    def _once(
        self, method: str, path: str, read_seconds: float = _READ_SECONDS, allow_redirects: bool = False, **content: Any
    ) -> requests.Response:
        content |= {"timeout": (_CONNECT_SECONDS, read_seconds), "allow_redirects": allow_redirects}
        try:
            return self._http.request(method, self.url + path, **content)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise self._broken(error, read_seconds) from error
        except (requests.RequestException, ValueError) as error:
            raise ApiError(f"{self.url!r} is not the address of an API; one looks like {DEFAULT_API}.") from error

    def _broken(self, error: requests.RequestException, read_seconds: float) -> ApiError:
        if never_sent(error):
            return NotThere(
                f"Nothing answers at {self.url}. Is Imagemill running? Say where it is with --api or IMAGEMILL_API."
            )
        if isinstance(error, requests.Timeout):
            return Unsure(f"{self.url} did not answer within {read_seconds:g} s.")
        return Unsure(f"The connection to {self.url} broke before the answer was there.")


def path_of(*parts: str) -> str:
    """A path below /api/v1; the parts may hold anything."""
    return "/api/v1/" + "/".join(quote(part, safe="") for part in parts)


def busy_pause_seconds(headers: Mapping[str, str], attempt: int) -> float:
    """How long to wait: what the server asks for, within a bound, with jitter lest all return together."""
    try:
        wanted = min(float(headers.get("Retry-After", "")), _LONGEST_PAUSE_SECONDS)
    except ValueError:
        wanted = 0.0
    if not wanted > 0:
        return pause_seconds(attempt)
    return wanted * random.uniform(1, 1.5)  # noqa: S311 - nothing secret


def _without_query(url: str) -> str:
    """In a query there may be secrets."""
    return urlsplit(url)._replace(query="").geturl()


def _checked(answer: requests.Response) -> requests.Response:
    if answer.status_code < HTTPStatus.BAD_REQUEST:
        return answer
    try:
        body = answer.json()
    except ValueError:
        body = {}
    finally:
        answer.close()
    if not isinstance(body, dict) or "code" not in body:
        raise ApiError(
            f"{_without_query(answer.url)} is not Imagemill's: it answered {answer.status_code} {answer.reason}."
        )
    raise ProblemAnswer(answer.status_code, body)


def _json(answer: requests.Response, url: str) -> Json:
    try:
        body = answer.json()
    except (ValueError, requests.RequestException):
        body = None
    if isinstance(body, list):
        return {"items": body}
    if not isinstance(body, dict):
        raise ApiError(f"{url} is not Imagemill's: its answer is no JSON.")
    return body


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value not in (None, "")}
