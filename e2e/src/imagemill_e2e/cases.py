"""Values under which the chart is looked at."""

from pathlib import Path

import yaml

from imagemill_e2e.chart import PRODUCTION, Values

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
