"""One operator at a time: a Lease that is renewed while it acts, and taken over when its holder is silent."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from imagemill_operator.kube import KubeError


class LeaseClient(Protocol):
    """What the lease needs of the API server."""

    async def get_lease(self, name: str) -> dict[str, Any] | None:
        """Return the Lease, None when there is none."""

    async def create_lease(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create it."""

    async def replace_lease(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace it, unless it changed since it was read."""


class Lease:
    """A Kubernetes Lease, as client-go's leader election uses it.

    Whether another holder is silent is judged by our own clock, from when we saw its last renewal: clocks of two
    machines need not agree. We stop acting some time before others may take over.
    """

    def __init__(
        self, client: LeaseClient, name: str, identity: str, seconds: float, clock: Callable[[], float]
    ) -> None:
        self._client, self._name, self._identity, self._seconds, self._clock = client, name, identity, seconds, clock
        self._renewed_at: float | None = None
        self._seen: tuple[str, float] | None = None
        self.holder = ""

    @property
    def held(self) -> bool:
        """Whether we may act now: for two thirds of the time after which others may."""
        return self._renewed_at is not None and self._clock() - self._renewed_at < self._seconds * 2 / 3

    async def keep(self) -> bool:
        """Take or renew the lease when it is time to; return whether we may act.

        To be called every ``retry_seconds``, so that one renewal that fails is not the end of it.
        """
        now = self._clock()
        if (self._renewed_at is None or now - self._renewed_at >= self._seconds / 3) and await self._write(now):
            self._renewed_at = now
        return self.held

    @property
    def retry_seconds(self) -> float:
        """How often to try."""
        return self._seconds / 8

    async def release(self) -> None:
        """Let the next operator begin at once."""
        if not self.held:
            return
        self._renewed_at = None
        try:
            lease = await self._client.get_lease(self._name)
            if lease is not None and lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"] = {**lease["spec"], "holderIdentity": ""}
                await self._client.replace_lease(self._name, lease)
        except KubeError:
            return

    async def _write(self, now: float) -> bool:
        try:
            lease = await self._client.get_lease(self._name)
            if lease is None:
                await self._client.create_lease({"metadata": {"name": self._name}, "spec": self._spec()})
            elif self._may_take(lease["spec"], now):
                await self._client.replace_lease(self._name, {**lease, "spec": self._spec()})
            else:
                return False
        except KubeError:
            return False
        self.holder = self._identity
        return True

    def _may_take(self, spec: Mapping[str, Any], now: float) -> bool:
        self.holder = spec.get("holderIdentity") or ""
        renewal = f"{self.holder} {spec.get('renewTime')}"
        if self._seen is None or self._seen[0] != renewal:
            self._seen = renewal, now
        silent = now - self._seen[1] >= float(spec.get("leaseDurationSeconds") or self._seconds)
        return self.holder in ("", self._identity) or silent

    def _spec(self) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"holderIdentity": self._identity, "leaseDurationSeconds": int(self._seconds), "renewTime": now}
