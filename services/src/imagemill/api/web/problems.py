"""Errors as RFC 9457 problem details with a stable `code`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, json
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from imagemill.domain import errors
from imagemill.domain.errors import DomainError
from imagemill.store.couch import StoreUnavailable, Unsettled
from imagemill.store.purges import BeingPurged
from imagemill.wire.broker import BrokerUnavailable

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
_ERASING_SECONDS = 60
_STATUSES: Mapping[type[DomainError], int] = {
    errors.NotFound: 404, errors.AlreadyExists: 409, errors.Gone: 410, errors.ChangedMeanwhile: 412,
    errors.Invalid: 422, errors.Busy: 503, errors.NoAnswer: 504,
    errors.InvalidMembers: 422, errors.Busy: 503, errors.NoAnswer: 504,
}  # fmt: skip
# Python's own phrases for these change with its version; a code must not.
_PLAIN_CODES = {413: "request-too-large", 416: "requested-range-not-satisfiable", 422: "unprocessable"}


class Problem(Exception):
    """An error for the person or program that asked: what was wrong, with which value, and what to do."""

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.members = dict(headers or {}), members

    def response(self) -> Response:
        """As the client gets it."""
        body = {
            "type": f"urn:imagemill:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.members,
        }
        return Response(json.dumps(body), self.status, self.headers, mimetype="application/problem+json")


def problem_of(error: DomainError) -> Problem:
    """Express a domain error in HTTP."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(error, errors.Busy) else {}
    members = {"member": error.member} if error.member else {}
    return Problem(_STATUSES[type(error)], error.code, str(error), headers, **members)


def not_taken(error: StoreUnavailable | BrokerUnavailable) -> Problem:
    """Nothing was accepted, or that is not known; the same request may succeed in a moment."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if isinstance(error, Unsettled):
        detail = (
            "The database did not answer: whether this was accepted is not known. Send the same request again; "
            "with the same Idempotency-Key it counts once."
        )
        return Problem(503, "accept-unknown", detail, headers)
    if isinstance(error, BeingPurged):
        headers = {"Retry-After": str(_ERASING_SECONDS)}
        return Problem(503, "being-erased", f"{error}. Nothing was accepted; try again then.", headers)
    database = isinstance(error, StoreUnavailable)
    what = "The database does not answer." if database else f"No work is taken now: {error}."
    return Problem(503, "unavailable", f"{what} Nothing was accepted; try again in a few seconds.", headers)


def revoked_meanwhile() -> Problem:
    """Who waits for an answer may not have it any more."""
    return Problem(401, "unauthorized", "The token was revoked while this request waited.")


def install(app: Flask) -> None:
    """Makes every error of the app a problem."""
    app.register_error_handler(Problem, lambda problem: problem.response())
    app.register_error_handler(DomainError, lambda error: problem_of(error).response())
    app.register_error_handler(StoreUnavailable, _server_away)
    app.register_error_handler(BrokerUnavailable, _server_away)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _server_away(error: StoreUnavailable | BrokerUnavailable) -> Response:
    log.warning("request failed", error=str(error))
    return not_taken(error).response()


def _too_large(_error: RequestEntityTooLarge) -> Response:
    detail = "The request is larger than the limit, or has too many parts; send fewer or smaller pictures at a time."
    return Problem(413, "request-too-large", detail).response()


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    headers = dict(error.get_headers()) if status == 405 else {}
    headers.pop("Content-Type", None)
    code = _PLAIN_CODES.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "-")
    return Problem(status, code, error.description or HTTPStatus(status).description, headers).response()


def _unexpected(error: Exception) -> Response:
    log.exception("request failed unexpectedly", error=repr(error))
    return Problem(500, "internal-error", "Something went wrong that should not; the server's log has it.").response()
