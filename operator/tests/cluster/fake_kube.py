"""A small Kubernetes API on loopback: lists, watches, the writes the operator makes, and Deployments that get pods.

It keeps the rules that matter to the operator: resource versions with conflicts, the scale and status subresources,
and which pods a ReplicaSet gives up first. Everything runs in one thread of its own.
"""

import asyncio
import copy
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiohttp import web
from tests.cluster.merge_patch import merged

NAMESPACE = "default"
KEPT_NEWS = 1000
COST = "controller.kubernetes.io/pod-deletion-cost"
KINDS = {
    "pods": ("", "v1", "Pod"),
    "events": ("", "v1", "Event"),
    "secrets": ("", "v1", "Secret"),
    "deployments": ("apps", "v1", "Deployment"),
    "horizontalpodautoscalers": ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    "scaledobjects": ("keda.sh", "v1alpha1", "ScaledObject"),
    "leases": ("coordination.k8s.io", "v1", "Lease"),
    "workerpools": ("imagemill.dev", "v1alpha1", "WorkerPool"),
    "namespaces": ("", "v1", "Namespace"),
    "customresourcedefinitions": ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
}
Body = dict[str, Any]
T = TypeVar("T")


def stamp() -> str:
    """Now, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class FakeKube:
    """Objects by kind and name. ``start_seconds`` is how long a pod takes until it is ready."""

    def __init__(self, *, start_seconds: float = 0.2, pods_of_deployments: bool = True) -> None:
        self.objects: dict[str, dict[str, Body]] = {plural: {} for plural in KINDS}
        self.requests: list[tuple[str, str, Any]] = []
        self.scalings: list[tuple[float, str, int]] = []
        self.removed_pods: list[str] = []
        self.start_seconds, self.pods_of_deployments = start_seconds, pods_of_deployments
        self._version = 0
        self._watchers: dict[str, list[asyncio.Queue[Body]]] = {plural: [] for plural in KINDS}
        self._past: dict[str, deque[tuple[int, Body]]] = {plural: deque(maxlen=KEPT_NEWS) for plural in KINDS}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    # What a test does to the cluster. Safe from other threads.

    def put(self, plural: str, body: Body) -> Body:
        """Create or replace an object from outside."""
        return self._call(lambda: self._store(plural, copy.deepcopy(body)))

    def delete(self, plural: str, name: str) -> None:
        """Delete an object from outside."""
        self._call(lambda: self._drop(plural, name))

    def get(self, plural: str, name: str) -> Body | None:
        """Return a copy of an object."""
        return self._call(lambda: copy.deepcopy(self.objects[plural].get(name)))

    def names(self, plural: str) -> list[str]:
        """Names of all objects of a kind."""
        return self._call(lambda: list(self.objects[plural]))

    def add_pool(self, name: str, spec: Body, annotations: Body | None = None) -> None:
        """Create a WorkerPool."""
        meta = {"name": name, "annotations": annotations or {}, "generation": 1}
        self.put("workerpools", {"metadata": meta, "spec": spec})

    def add_deployment(self, name: str, replicas: int = 0) -> None:
        """Create a Deployment with its pods."""
        self.put("deployments", {"metadata": {"name": name}, "spec": {"replicas": replicas}})
        if self.pods_of_deployments:
            self._call(lambda: self._settle(name))

    def _call(self, do: Callable[[], T]) -> T:
        if self._loop is None:
            return do()

        async def inside() -> T:
            return do()

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(60)

    # Storage.

    def _store(self, plural: str, body: Body) -> Body:
        self._version += 1
        group, version, kind = KINDS[plural]
        name = body["metadata"]["name"]
        known = self.objects[plural].get(name)
        defaults = {"namespace": NAMESPACE, "uid": f"{plural}-{name}-{self._version}", "creationTimestamp": stamp()}
        meta = {**defaults, **(known or {}).get("metadata", {}), **body["metadata"]}
        body = {"apiVersion": f"{group}/{version}".lstrip("/"), "kind": kind, **body, "metadata": meta}
        meta["resourceVersion"] = str(self._version)
        self.objects[plural][name] = body
        self._send(plural, "MODIFIED" if known else "ADDED", body)
        return body

    def _drop(self, plural: str, name: str) -> None:
        body = self.objects[plural].pop(name, None)
        if body is not None:
            self._version += 1
            body["metadata"]["resourceVersion"] = str(self._version)
            self._send(plural, "DELETED", body)

    def _send(self, plural: str, kind: str, body: Body) -> None:
        news = {"type": kind, "object": copy.deepcopy(body)}
        self._past[plural].append((self._version, news))
        for queue in self._watchers[plural]:
            queue.put_nowait(news)

    # Deployments and their pods.

    def _pods(self, deployment: str) -> list[Body]:
        return [
            pod
            for pod in self.objects["pods"].values()
            if pod["metadata"]["ownerReferences"][0]["name"] == f"{deployment}-hash"
        ]

    def _settle(self, deployment: str) -> None:
        wanted = int(self.objects["deployments"][deployment]["spec"]["replicas"])
        pods = self._pods(deployment)
        for _ in range(wanted - len(pods)):
            self._start_pod(deployment)
        for pod in sorted(pods, key=_goes_first)[: max(0, len(pods) - wanted)]:
            self.removed_pods.append(pod["metadata"]["name"])
            self._drop("pods", pod["metadata"]["name"])

    def _start_pod(self, deployment: str) -> None:
        owner = {"kind": "ReplicaSet", "name": f"{deployment}-hash"}
        meta = {"name": f"{deployment}-hash-{self._version}", "labels": {"pod-template-hash": "hash"}}
        pod = self._store("pods", {"metadata": {**meta, "ownerReferences": [owner]}, "status": {"conditions": []}})
        name = pod["metadata"]["name"]
        if self._loop is None:
            self._make_ready(name)
        else:
            self._loop.call_later(self.start_seconds, self._make_ready, name)

    def _make_ready(self, name: str) -> None:
        pod = self.objects["pods"].get(name)
        if pod is not None:
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": stamp()}
            self._store("pods", {**pod, "status": {"podIP": "127.0.0.1", "conditions": [ready]}})

    # HTTP.

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application()
        app.router.add_get("/api", self._versions)
        app.router.add_get("/apis", self._groups)
        for group, version in sorted({kind[:2] for kind in KINDS.values()}):
            base = _base(group, version)
            app.router.add_get(base, self._resources(group, version))
            app.router.add_route("*", base + "/namespaces/{ns}/{plural}", self._collection)
            app.router.add_route("*", base + "/namespaces/{ns}/{plural}/{name}", self._object)
            app.router.add_route("*", base + "/namespaces/{ns}/{plural}/{name}/{sub}", self._object)
        return app

    async def _versions(self, _: web.Request) -> web.Response:
        return web.json_response({"versions": ["v1"]})

    async def _groups(self, _: web.Request) -> web.Response:
        versions = sorted({kind[:2] for kind in KINDS.values() if kind[0]})
        groups = [
            {"name": group, "versions": [{"version": version}], "preferredVersion": {"version": version}}
            for group, version in versions
        ]
        return web.json_response({"groups": groups})

    def _resources(self, group: str, version: str) -> Callable[[web.Request], Any]:
        async def answer(_: web.Request) -> web.Response:
            names = [(plural, kind[2]) for plural, kind in KINDS.items() if kind[:2] == (group, version)]
            verbs = ["list", "watch", "get", "patch", "create", "update"]
            resources = [
                {"name": plural, "kind": kind, "singularName": kind.lower(), "namespaced": True, "verbs": verbs}
                for plural, kind in names
            ]
            return web.json_response({"resources": resources})

        return answer

    async def _collection(self, request: web.Request) -> web.StreamResponse:
        plural = request.match_info["plural"]
        if request.method == "POST":
            return await self._create(request, plural)
        if request.query.get("watch"):
            return await self._watch(request, plural)
        items = list(self.objects[plural].values())
        return web.json_response({"items": items, "metadata": {"resourceVersion": str(self._version)}})

    async def _create(self, request: web.Request, plural: str) -> web.Response:
        body = await request.json()
        self.requests.append((request.method, request.path, body))
        if body["metadata"]["name"] in self.objects[plural]:
            return _error(409, "it exists already")
        return web.json_response(self._store(plural, body), status=201)

    async def _watch(self, request: web.Request, plural: str) -> web.StreamResponse:
        since = int(request.query.get("resourceVersion") or self._version)
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            async for event in self._news(plural, since):
                await response.write(json.dumps(event).encode() + b"\n")
        return response

    async def _news(self, plural: str, since: int) -> AsyncIterator[Body]:
        """From a version on: what happened between a list and the watch after it is told too."""
        queue: asyncio.Queue[Body] = asyncio.Queue()
        for version, event in self._past[plural]:
            if version > since:
                queue.put_nowait(event)
        self._watchers[plural].append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._watchers[plural].remove(queue)

    async def _object(self, request: web.Request) -> web.Response:
        plural, name = request.match_info["plural"], request.match_info["name"]
        known = self.objects[plural].get(name)
        if known is None:
            return _error(404, f"{plural} {name} not found")
        if request.method == "GET":
            return web.json_response(known)
        body = json.loads(await request.text())
        self.requests.append((request.method, request.path, body))
        version = (body.get("metadata") or {}).get("resourceVersion")
        if version not in (None, known["metadata"]["resourceVersion"]):
            return _error(409, f"{plural} {name} was changed")
        new = body if request.method == "PUT" else merged(known, body)
        if "dryRun" in request.query:
            return web.json_response(new)
        stored = self._store(plural, new)
        if request.match_info.get("sub") == "scale":
            self._scaled(name, int(stored["spec"]["replicas"]))
        return web.json_response(stored)

    def _scaled(self, name: str, replicas: int) -> None:
        self.scalings.append((asyncio.get_running_loop().time(), name, replicas))
        if self.pods_of_deployments:
            self._settle(name)

    @contextmanager
    def running(self) -> Iterator["FakeKube"]:
        """Serve on a free port, in a thread."""
        started = threading.Event()
        stop = asyncio.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(started, stop)), name="fake-kube")
        thread.start()
        started.wait(60)
        try:
            yield self
        finally:
            loop = self._loop
            if loop is not None:
                loop.call_soon_threadsafe(stop.set)
            thread.join(60)

    async def _serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        runner = web.AppRunner(self.app(), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._loop = asyncio.get_running_loop()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await stop.wait()
        self._loop = None
        await runner.cleanup()


def _base(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "code": status, "message": message}, status=status)


def _goes_first(pod: Body) -> tuple[bool, int]:
    """Pods that are not ready, then the cheapest to delete."""
    ready = any(item["status"] == "True" for item in pod["status"]["conditions"])
    return ready, int((pod["metadata"].get("annotations") or {}).get(COST, "0"))
