"""The Kubernetes objects of the rig: a broker, the foreign consumer, the operator alone, one WorkerPool."""

from pathlib import Path
from typing import Any

NAMESPACE = "operator-rig"
MAX_REPLICAS = 16
Body = dict[str, Any]


def meta(name: str) -> Body:
    """Metadata of an object called so."""
    return {"name": name, "namespace": NAMESPACE, "labels": {"app": name}}


def deployment(name: str, container: Body, *, replicas: int = 1, **pod: Any) -> Body:
    """A Deployment of one container."""
    spec = {"containers": [{"name": name, "imagePullPolicy": "IfNotPresent", **container}], **pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(name),
        "spec": {
            "replicas": replicas,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    }


def service(name: str, **ports: int) -> Body:
    """A Service for a Deployment."""
    listed = [{"name": port, "port": number} for port, number in ports.items()]
    spec = {"selector": {"app": name}, "ports": listed}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(name), "spec": spec}


def broker(image: str) -> list[Body]:
    """RabbitMQ, one node."""
    config = "loopback_users.guest = false\n"
    plugins = "[rabbitmq_management,rabbitmq_prometheus].\n"
    files = {"rabbitmq.conf": config, "enabled_plugins": plugins}
    mounts = [
        {"name": "config", "mountPath": f"/etc/rabbitmq/{path}", "subPath": name}
        for name, path in (("rabbitmq.conf", "conf.d/90-rig.conf"), ("enabled_plugins", "enabled_plugins"))
    ]
    probe = {"tcpSocket": {"port": 5672}, "periodSeconds": 1}
    container = {"image": image, "readinessProbe": probe, "volumeMounts": mounts}
    volumes = [{"name": "config", "configMap": {"name": "broker-config"}}]
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("broker-config"), "data": files},
        deployment("broker", container, volumes=volumes),
        service("broker", amqp=5672, metrics=15692),
    ]


def consumer(image: str) -> list[Body]:
    """The foreign consumer, asleep."""
    script = (Path(__file__).parent / "foreign_consumer.py").read_text()
    container = {
        "image": image,
        "command": ["python", "/rig/foreign_consumer.py"],
        "env": [{"name": "AMQP_URL", "value": "amqp://guest:guest@broker/"}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "volumeMounts": [{"name": "script", "mountPath": "/rig"}],
    }
    volumes = [{"name": "script", "configMap": {"name": "consumer-script"}}]
    data = {"foreign_consumer.py": script}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("consumer-script"), "data": data},
        deployment("consumer", container, replicas=0, volumes=volumes),
    ]


RULES: list[Body] = [
    {"apiGroups": ["imagemill.dev"], "resources": ["workerpools"], "verbs": ["list", "watch"]},
    {"apiGroups": ["imagemill.dev"], "resources": ["workerpools/status"], "verbs": ["patch"]},
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "watch"]},
    {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch", "patch"]},
    {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["list", "watch"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": ["imagemill-operator"],
        "verbs": ["get", "update"],
    },
]
"""Everything the operator may do, in its own namespace."""


def operator(image: str) -> list[Body]:
    """The operator with the rights its README lists and no others."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta("operator"), "rules": RULES}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": meta("operator"),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"},
        "subjects": [{"kind": "ServiceAccount", "name": "operator", "namespace": NAMESPACE}],
    }
    container = {
        "image": image,
        "env": [
            {"name": "AMQP_URL", "value": "amqp://guest:guest@broker/"},
            {"name": "IMAGEMILL_BROKER_METRICS_URL", "value": "http://broker:15692"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 15},
    }
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("operator")},
        role,
        binding,
        deployment("operator", container, serviceAccountName="operator"),
    ]


def pool() -> Body:
    """One message a second and replica, ten for each."""
    return {
        "apiVersion": "imagemill.dev/v1alpha1",
        "kind": "WorkerPool",
        "metadata": meta("consumer"),
        "spec": {
            "deployment": "consumer",
            "queues": ["rig.work"],
            "minReplicas": 0,
            "maxReplicas": MAX_REPLICAS,
            "backlogPerReplica": 10,
        },
    }


def objects(operator_image: str, broker_image: str) -> list[Body]:
    """All of it but the pool, in the order to create it."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    return [space, *broker(broker_image), *consumer(operator_image), *operator(operator_image)]
