"""Asks the scaler: the operator in a cluster, `make run` on one machine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests

from imagemill.api.web.problems import Problem
from imagemill.domain.errors import Invalid, NotFound
from imagemill.domain.ids import timestamp
from imagemill.settings import Settings

HOUR_SECONDS, DAY_SECONDS = 3600, 86_400
_TIMEOUT_SECONDS = 3
_STEER_TIMEOUT_SECONDS = 10

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")

Pool = dict[str, Any]


@dataclass(frozen=True)
class Steered:
    """What may be changed of a pool, as it was and as it is."""

    before: dict[str, Any]
    after: dict[str, Any]


class PoolService:
    """The pools over HTTP. Every method raises Problem when there is no scaler or no answer."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._token = settings.pools_url, settings.pools_token
        self._steer_token = settings.pools_steer_token

    @property
    def can_steer(self) -> bool:
        """Does the scaler take changes from this API?"""
        return self._url is not None and self._steer_token is not None

    def pools(self, history_seconds: int = HOUR_SECONDS) -> list[Pool]:
        """All pools, each with so much of its history."""
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"} if self._token else {}
        try:
            answer = requests.get(
                self._address(), headers=headers, params={"history_seconds": history_seconds}, timeout=_TIMEOUT_SECONDS
            )
            answer.raise_for_status()
            return [told(pool) for pool in pools_in(answer.json())]
        except (requests.RequestException, ValueError) as error:
            raise Problem(503, "scaler-unavailable", f"The scaler does not answer: {type(error).__name__}.") from error

    def steer(self, name: str, change: Mapping[str, Any]) -> Steered:
        """Pause a pool, or change its bounds; raises Invalid and NotFound with the scaler's sentences."""
        address = f"{self._address()}/{quote(name, safe='')}"
        if not _NAME.fullmatch(name):
            raise NotFound("unknown-pool", f"There is no pool {name[:100]!r}.")
        if self._steer_token is None:
            detail = (
                "This API may not change pools; set IMAGEMILL_POOLS_STEER_TOKEN to the token that the scaler wants."
            )
            raise Problem(409, "pools-fixed", detail)
        headers = {"Authorization": f"Bearer {self._steer_token.get_secret_value()}"}
        try:
            answer = requests.patch(
                address, headers=headers, json=dict(change), timeout=_STEER_TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise Problem(503, "scaler-unavailable", f"The scaler does not answer: {type(error).__name__}.") from error
        return _steered(answer.status_code, _json_of(answer))

    def _address(self) -> str:
        if self._url is None:
            detail = "No scaler is known to this API; set IMAGEMILL_POOLS_URL to the scaler's /pools."
            raise Problem(404, "no-scaler", detail)
        return self._url


def _json_of(answer: requests.Response) -> Any:
    """What it says; None when that is no JSON, as of a scaler that is too old to be changed."""
    try:
        return answer.json()
    except ValueError:
        return None


def _steered(status: int, content: Any) -> Steered:
    detail = str(content.get("detail", ""))[:500] if isinstance(content, dict) else ""
    if status == HTTPStatus.NOT_FOUND:
        raise NotFound("unknown-pool", detail)
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        raise Invalid("bad-value", detail)
    if status != HTTPStatus.OK or not isinstance(content, dict):
        raise Problem(503, "scaler-unavailable", f"The scaler does not take the change ({status}). {detail}".strip())
    return Steered(dict(content.get("before") or {}), dict(content.get("after") or {}))


def pools_in(answer: Any) -> list[Pool]:
    """The pools of a scaler's answer; of what it cannot mean none."""
    pools = answer.get("pools") if isinstance(answer, dict) else answer
    return [pool for pool in pools if isinstance(pool, dict)] if isinstance(pools, list) else []


def told(pool: Pool) -> Pool:
    """A pool as the API tells it: with the time of its decision as all other times are told."""
    at = pool.get("at")
    return {**pool, "decided_at": timestamp(at)} if isinstance(at, int | float) else pool
