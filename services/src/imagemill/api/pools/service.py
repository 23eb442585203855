"""Asks the scaler: the operator in a cluster, `make run` on one machine."""

from typing import Any

import requests

from imagemill.api.web.problems import Problem
from imagemill.domain.ids import timestamp
from imagemill.settings import Settings

HOUR_SECONDS, DAY_SECONDS = 3600, 86_400
_TIMEOUT_SECONDS = 3

Pool = dict[str, Any]


class PoolService:
    """The pools over HTTP. Every method raises Problem when there is no scaler or no answer."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._token = settings.pools_url, settings.pools_token

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

    def _address(self) -> str:
        if self._url is None:
            detail = "No scaler is known to this API; set IMAGEMILL_POOLS_URL to the scaler's /pools."
            raise Problem(404, "no-scaler", detail)
        return self._url


def pools_in(answer: Any) -> list[Pool]:
    """The pools of a scaler's answer; of what it cannot mean none."""
    pools = answer.get("pools") if isinstance(answer, dict) else answer
    return [pool for pool in pools if isinstance(pool, dict)] if isinstance(pools, list) else []


def told(pool: Pool) -> Pool:
    """A pool as the API tells it: with the time of its decision as all other times are told."""
    at = pool.get("at")
    return {**pool, "decided_at": timestamp(at)} if isinstance(at, int | float) else pool
