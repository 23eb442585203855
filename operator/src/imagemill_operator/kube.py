"""The few writes the operator makes to the Kubernetes API, over one HTTP session. Reading is kopf's part."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp

from imagemill_operator.facts import DELETION_COST
from imagemill_operator.lean import kopf

API = "apis/imagemill.dev/v1alpha1"
KEDA_API = "apis/keda.sh/v1alpha1"
KEDA_PAUSED = "autoscaling.keda.sh/paused"
KEDA_HELD = "autoscaling.keda.sh/paused-replicas"
CREDENTIALS_SECONDS = 300.0
"""Service account tokens are renewed on disk; they are read again so often."""
MERGE = "application/merge-patch+json"
COMPONENT = "imagemill-operator"
LONGEST_MESSAGE_BYTES, LONGEST_INSTANCE = 1024, 128
"""The API server refuses an Event with more."""


class KubeError(Exception):
    """The API server refused, or did not answer (status 0). It may ask not to be asked again for a while."""

    def __init__(self, status: int, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status, self.retry_after_seconds = status, retry_after_seconds


class Kube:
    """Writes to one namespace. ``login`` gives the connection, and is asked again when credentials may have changed.

    ``instance`` is the operator that Events name.
    """

    def __init__(
        self, login: Callable[[], kopf.ConnectionInfo], namespace: str, timeout_seconds: float, instance: str
    ) -> None:
        self._login, self._namespace, self._instance = login, namespace, instance
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._info: kopf.ConnectionInfo | None = None
        self._logged_in_at = 0.0

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def scale(self, deployment: str, replicas: int, resource_version: str, *, dry_run: bool = False) -> None:
        """Set a Deployment's replicas, unless it is not as it was when that was decided (409).

        A dry run only asks whether that would be allowed.
        """
        body = {"metadata": {"resourceVersion": resource_version}, "spec": {"replicas": replicas}}
        query = "?dryRun=All" if dry_run else ""
        await self._request("PATCH", f"{self._of('apis/apps/v1', 'deployments')}/{deployment}/scale{query}", body)

    async def write_status(self, pool: str, status: Mapping[str, Any]) -> None:
        """Merge a pool's status; None removes a field."""
        await self._request("PATCH", f"{self._of(API, 'workerpools')}/{pool}/status", {"status": status})

    async def change_pool(self, pool: str, patch: Mapping[str, Any]) -> None:
        """Merge what a person changes of a WorkerPool."""
        await self._request("PATCH", f"{self._of(API, 'workerpools')}/{pool}", patch)

    async def mark(self, pod: str, cost: str | None) -> None:
        """Set or remove the cost of deleting a pod."""
        body = {"metadata": {"annotations": {DELETION_COST: cost}}}
        await self._request("PATCH", f"{self._of('api/v1', 'pods')}/{pod}", body)

    async def event(self, pool: str, uid: str, kind: str, reason: str, message: str) -> None:
        """Post an Event about a pool, with the moment to the microsecond beside the seconds that kubectl prints."""
        now = datetime.now(UTC)
        second = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        regarding = {"apiVersion": "imagemill.dev/v1alpha1", "kind": "WorkerPool", "name": pool, "uid": uid}
        body = {
            "metadata": {"name": f"{pool}.{uuid4().hex[:16]}", "namespace": self._namespace},
            "involvedObject": {**regarding, "namespace": self._namespace},
            "type": kind,
            "reason": reason,
            "action": reason,
            "message": message.encode()[:LONGEST_MESSAGE_BYTES].decode(errors="ignore"),
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance[:LONGEST_INSTANCE],
            "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "firstTimestamp": second,
            "lastTimestamp": second,
            "count": 1,
        }
        await self._request("POST", self._of("api/v1", "events"), body)

    async def get_lease(self, name: str) -> dict[str, Any] | None:
        """Return a Lease, None when there is none."""
        return await self._get(f"{self._leases()}/{name}")

    async def get_secret(self, name: str) -> dict[str, Any] | None:
        """Return a Secret, None when there is none."""
        return await self._get(f"{self._of('api/v1', 'secrets')}/{name}")

    async def get_scaled_object(self, name: str) -> dict[str, Any] | None:
        """Return a ScaledObject of KEDA, None when there is none."""
        return await self._get(f"{self._of(KEDA_API, 'scaledobjects')}/{name}")

    async def pause_scaled_object(self, name: str, *, paused: bool) -> None:
        """Let KEDA leave its target alone, or scale it again."""
        body = {"metadata": {"annotations": {KEDA_PAUSED: "true" if paused else None}}}
        await self._request("PATCH", f"{self._of(KEDA_API, 'scaledobjects')}/{name}", body)

    async def _get(self, path: str) -> dict[str, Any] | None:
        try:
            return await self._request("GET", path)
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    async def create_lease(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create a Lease; 409 when another was faster."""
        return await self._request("POST", self._leases(), body)

    async def replace_lease(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace a Lease; 409 when it changed meanwhile."""
        return await self._request("PUT", f"{self._leases()}/{name}", body)

    def _leases(self) -> str:
        return self._of("apis/coordination.k8s.io/v1", "leases")

    def _of(self, api: str, plural: str) -> str:
        return f"{api}/namespaces/{self._namespace}/{plural}"

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        session, info = await self._connect()
        headers = {**info.as_http_headers(), "Content-Type": MERGE if method == "PATCH" else "application/json"}
        data = None if body is None else json.dumps(body)
        url = f"{info.server.rstrip('/')}/{path}"
        try:
            async with session.request(method, url, data=data, headers=headers, timeout=self._timeout) as response:
                answer = await response.json(content_type=None)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as problem:
            raise KubeError(0, f"{method} {path}: {problem!r}") from problem
        if response.status >= 400:
            self._logged_in_at = 0.0 if response.status == 401 else self._logged_in_at
            message = answer.get("message", "") if isinstance(answer, dict) else ""
            raise KubeError(response.status, f"{method} {path}: {message}", _retry_after(response.headers))
        return dict(answer)

    async def _connect(self) -> tuple[aiohttp.ClientSession, kopf.ConnectionInfo]:
        now = asyncio.get_running_loop().time()
        if self._session is None or self._info is None or now - self._logged_in_at > CREDENTIALS_SECONDS:
            self._info, self._logged_in_at = self._login(), now
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._info.as_ssl_context(), limit=16)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=self._info.trust_env)
        return self._session, self._info


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Kubernetes gives seconds, never a date."""
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
