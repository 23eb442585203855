"""Values under which the charts are looked at."""

from pathlib import Path

import yaml

from imagemill_e2e.chart import OPERATOR_CHART, PRODUCTION, Manifest, Values, render

EXTERNAL: Values = {
    "rabbitmq": {"external": {"enabled": True, "existingSecret": "broker", "metricsUrl": "http://broker:15692"}},
    "couchdb": {"external": {"enabled": True, "existingSecret": "database"}},
}
EVERYTHING: Values = {
    "api": {"replicas": 2, "ingress": {"enabled": True, "host": "mill.example.org", "tlsSecret": "tls"}},
    "couchdb": {"replicas": 3},
    "networkPolicy": {"clients": [{"namespaceSelector": {}}]},
    "monitoring": {
        "podMonitor": {"enabled": True},
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
    "recipes": {"tiny": {"steps": [{"fit": {"width": 16, "height": 16}}, "png"]}},
    "defaults": {"priorityClassName": "high", "extraEnv": [{"name": "TZ", "value": "UTC"}]},
    "imagePullSecrets": ["registry"],
}
S3: Values = {
    "blobs": {
        "url": "s3://mill/pictures",
        "s3": {"endpoint": "https://s3.example.org:9000", "existingSecret": "s3-keys", "ports": [9000]},
    },
}
WITHOUT_OPERATOR: Values = {"operator": {"enabled": False}}
CASES: dict[str, Values] = {
    "defaults": {},
    "production": PRODUCTION,
    "external": EXTERNAL,
    "everything": EVERYTHING,
    "without-operator": WITHOUT_OPERATOR,
    "s3": S3,
    "a build machine": yaml.safe_load((Path(__file__).parents[2] / "values.yaml").read_text("utf-8")),
}

BROKER: Values = {"broker": {"existingSecret": "broker"}}
OPERATOR_EVERYTHING: Values = {
    "namespaces": ["jobs", "mills"],
    "deployments": ["resize-worker", "mail-worker"],
    "broker": {"existingSecret": "broker", "metricsUrl": "http://rabbit-nodes.rabbit.svc:15692", "ca": True},
    "brokerSecrets": ["broker-of-billing"],
    "poolsToken": {"existingSecret": "tokens"},
    "admissionPolicy": "Always",
    "imagePullSecrets": ["registry"],
    "priorityClassName": "high",
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "system", "operator": "Exists"}],
    "podLabels": {"team": "queues"},
    "podAnnotations": {"example.org/note": "scales"},
    "extraEnv": [{"name": "IMAGEMILL_REQUEST_TIMEOUT_SECONDS", "value": "3"}],
    "networkPolicy": {"workerPorts": [8081]},
    "monitoring": {
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
}
OPERATOR_CASES: dict[str, Values] = {
    "operator alone": BROKER,
    "operator alone, everything": OPERATOR_EVERYTHING,
    "operator alone, by metrics": {"broker": {"metricsUrl": "http://rabbit-nodes:15692"}, "crds": {"enabled": False}},
}


def rendered(case: str) -> list[Manifest]:
    """The manifests of a case of either chart."""
    if case in OPERATOR_CASES:
        return render(OPERATOR_CASES[case], path=OPERATOR_CHART)
    return render(CASES[case])
