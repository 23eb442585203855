"""Requests to CouchDB: what their answers mean, as values or as errors."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import requests
from ibm_cloud_sdk_core import ApiException, DetailedResponse

from imagemill.concurrency.retry import never_sent, pause_seconds

_REFUSALS = range(400, 500)
_NEVER = (400, 413)
_ACCEPTED = 202
_WRITES = 3


class StoreUnavailable(Exception):
    """CouchDB is not reached, or does not answer as it should; try again later."""


class NotApplied(StoreUnavailable):
    """The same, and surely nothing was written: it was never reached, or it refused."""


class NoQuorum(StoreUnavailable):
    """Fewer of a cluster's nodes took it than must: it is there, but may be lost with one of them."""


class Unstorable(NotApplied):
    """CouchDB will never take it: it is too large, or no document."""


class Unsettled(StoreUnavailable):
    """Whether something was written is not known, and could not be found out in time."""


class Conflict(Exception):
    """The document is already there."""


class Missing(NotApplied):
    """Nothing under this name: for a reader None, for a writer a database which was not prepared."""


def call(method: Callable[..., Any], **arguments: Any) -> Any:
    """Ask, and return the answer's value. Raises Conflict, or a kind of StoreUnavailable."""
    return answer_of(method, **arguments).get_result()


def write(method: Callable[..., Any], **arguments: Any) -> Any:
    """Write what may be written twice. Raises Conflict when it is there already, and NoQuorum."""
    for attempt in range(1, _WRITES + 1):
        answer = answer_of(method, **arguments)
        if answer.get_status_code() != _ACCEPTED:
            return answer.get_result()
        # Mostly the last of three nodes is just about to take what the others have.
        time.sleep(pause_seconds(attempt))
    raise NoQuorum("too few of CouchDB's nodes took it; it must be written again")


def answer_of(method: Callable[..., Any], **arguments: Any) -> DetailedResponse:
    """Ask, and return the whole answer, with its headers; raises as `call` does."""
    try:
        answer: DetailedResponse = method(**arguments)
        return answer
    except ApiException as error:
        raise _translated(error) from error
    except requests.RequestException as error:
        kind = NotApplied if never_sent(error) else StoreUnavailable
        raise kind(f"CouchDB does not answer: {type(error).__name__}") from error


def call_if_there(method: Callable[..., Any], **arguments: Any) -> Any:
    """Like `call`, but None where there is nothing of this name."""
    try:
        return call(method, **arguments)
    except Missing:
        return None


def _translated(error: ApiException) -> Exception:
    if error.status_code in (409, 412):
        return Conflict(str(error.message))
    if error.status_code == 404:
        return Missing(f"CouchDB has nothing there: {error.message}")
    if error.status_code in _NEVER:
        return Unstorable(f"CouchDB refuses it: {error.message}")
    kind = NotApplied if error.status_code in _REFUSALS else StoreUnavailable
    return kind(f"CouchDB answered {error.status_code}: {error.message}")


def body_of(response: requests.Response) -> bytes:
    """Read an answer's body to its end; raises StoreUnavailable when it breaks off."""
    try:
        return response.content
    except requests.RequestException as error:
        raise StoreUnavailable(f"CouchDB broke off its answer: {type(error).__name__}") from error


def successes(documents: Iterable[Mapping[str, Any]], errors: Iterable[str | None]) -> list[Mapping[str, Any]]:
    """The documents of a bulk write which are there now, written or found; raises when one is not."""
    done = []
    for document, error in zip(documents, errors, strict=True):
        if error not in (None, "conflict"):
            raise StoreUnavailable(f"CouchDB did not take document {document['_id']!r}: {error}")
        done.append(document)
    return done
