"""A camera and a desk as a user would have them: pods which are none of the chart's, with Services of their own."""

import hashlib
import hmac
import io
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from PIL import Image, ImageDraw

from imagemill_e2e.cluster import ROOT, Cluster, Resource
from imagemill_e2e.mill import TIMEOUT_SECONDS, Mill

CAMERA, DESK = "yard-camera", "desk"
CAMERA_PORT, DESK_PORT = 8554, 8765
API = "mill-imagemill-api"
# What e2e/camera/channels.yaml says, and docs/webhook.md.
SECRET = b"sixteen bytes or more"
RECORDING = """
import io, json
class Recorder(Receiver):
    def do_POST(self):
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.rfile = io.BytesIO(self.body)
        super().do_POST()
    def send_response(self, status, message=None):
        print(json.dumps({"status": status, "headers": dict(self.headers), "body": self.body.decode()}), flush=True)
        super().send_response(status, message)
"""
FORGED = """
import sys, time, urllib.error, urllib.request
headers = {"Imagemill-Timestamp": str(int(time.time())), "Imagemill-Signature": "v1=" + "0" * 64}
try:
    urllib.request.urlopen(urllib.request.Request("http://localhost:8765/", b"{}", headers), timeout=10)
except urllib.error.HTTPError as refusal:
    print(refusal.code)
"""


@dataclass(frozen=True)
class Webhook:
    """What the desk received, and how the receiver of docs/webhook.md answered it."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def alert(self) -> dict[str, Any]:
        """What was told."""
        told: dict[str, Any] = json.loads(self.body)
        return told

    def is_signed(self) -> bool:
        """Checked again, apart from the receiver."""
        signed = f"{self.headers['Imagemill-Timestamp']}.{self.body}".encode()
        wanted = "v1=" + hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, self.headers["Imagemill-Signature"])


@dataclass(frozen=True)
class Desk:
    """The pod that is told."""

    cluster: Cluster

    def received(self) -> list[Webhook]:
        """All that came, as its log says."""
        lines = self.cluster.kubectl("logs", f"pod/{DESK}").splitlines()
        return [Webhook(**json.loads(line)) for line in lines if line.startswith("{")]

    def told_of(self, camera: str) -> Webhook | None:
        """The first webhook about a camera."""
        return next((webhook for webhook in self.received() if webhook.alert.get("camera") == camera), None)

    def answer_to_a_forgery(self) -> int:
        """The status which a wrong signature gets."""
        return int(self.cluster.execute(DESK, "python", "-c", FORGED))


@contextmanager
def camera_and_desk(cluster: Cluster) -> Iterator[Desk]:
    """Both, while the block runs."""
    api = cluster.get("deployment", API)["spec"]["template"]["spec"]["containers"][0]["image"]
    login = {"name": "login", "secret": {"secretName": "cameras"}}
    pods = [
        _pod(CAMERA, CAMERA_PORT, {"image": os.environ["E2E_CAMERA_IMAGE"]}, {"/etc/camera": login}),
        _pod(DESK, DESK_PORT, {"image": api, "command": ["python", "-c", _receiver()]}, {}),
    ]
    everything = [*pods, _service(CAMERA, CAMERA_PORT), _service(DESK, DESK_PORT)]
    cluster.apply(*everything)
    try:
        cluster.kubectl("wait", "--for=condition=Ready", "--timeout=180s", f"pod/{CAMERA}", f"pod/{DESK}")
        yield Desk(cluster)
    finally:
        cluster.remove(*everything)


def _receiver() -> str:
    """The one of docs/webhook.md, which also tells in its log what it got and how it answered."""
    text = (ROOT / "docs" / "webhook.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    *receiver, serving = program.splitlines()
    return "\n".join([*receiver, RECORDING, serving.replace("Receiver", "Recorder")])


def _pod(name: str, port: int, container: Resource, mounts: dict[str, Resource]) -> Resource:
    """One that passes Pod Security "restricted"."""
    volumes = list(mounts.values())
    container = container | {
        "name": name,
        "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
        "volumeMounts": [{"name": volume["name"], "mountPath": path} for path, volume in mounts.items()],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}},
    }
    user = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {
        "containers": [container],
        "volumes": volumes,
        "securityContext": user,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def _service(name: str, port: int) -> Resource:
    spec = {"selector": {"app": name}, "ports": [{"port": port, "protocol": "TCP"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def send(mill: Mill, method: str, path: str, body: Any = None) -> requests.Response:
    """A request with JSON."""
    return requests.request(method, mill.url + path, json=body, headers=mill.headers, timeout=2 * TIMEOUT_SECONDS)


def drawn_walk(count: int, begin: int = 10) -> Iterator[bytes]:
    """Pictures as somebody draws them to try it: a box which comes in at `begin` and crosses a plain ground."""
    for number in range(count):
        shown = Image.new("RGB", (640, 480), (128, 128, 128))
        if number >= begin:
            left = 20 * (number - begin)
            ImageDraw.Draw(shown).rectangle((left, 160, left + 80, 240), fill="white")
        buffer = io.BytesIO()
        shown.save(buffer, "JPEG", quality=88)
        yield buffer.getvalue()
