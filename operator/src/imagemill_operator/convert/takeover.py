"""How to go from KEDA to the pools, and back."""

from imagemill_operator.convert.model import Conversion
from imagemill_operator.convert.render import printable
from imagemill_operator.pools import PAUSE_ANNOTATION, TAKE_ANNOTATION

ADVICE = """\
From KEDA to the pools, and back, one Deployment after the other ({name} is the example):
  1. Apply the pools. In mode Advise they set nothing and run beside KEDA; compare DESIRED with what KEDA does:
       kubectl get workerpools{namespace}
  2. Hand over. KEDA's annotation stops it and removes its HorizontalPodAutoscaler; the replicas stay as they are:
       kubectl annotate scaledobject {name}{namespace} autoscaling.keda.sh/paused=true
       kubectl patch workerpool {name}{namespace} --type merge --patch '{{"spec":{{"mode":"Active"}}}}'
     or, where the operator may pause it (kedaScaledObjects of its chart), both by one annotation:
       kubectl annotate workerpool {name}{namespace} {take}={name}
     A pool whose Deployment still has a HorizontalPodAutoscaler sets nothing, and says so in TargetConflict.
  3. Back to KEDA, if need be:
       kubectl annotate workerpool {name}{namespace} {pause}=true
       kubectl annotate scaledobject {name}{namespace} autoscaling.keda.sh/paused-
  4. To stay, delete the ScaledObject (with restoreToOriginalReplicaCount false):
       kubectl delete scaledobject {name}{namespace}
"""


def takeover_advice(conversion: Conversion) -> str:
    """Return the steps with commands for the first pool, nothing when there is none."""
    if not conversion.pools:
        return ""
    meta = conversion.pools[0]["metadata"]
    namespace = f" --namespace {meta['namespace']}" if "namespace" in meta else ""
    annotations = {"pause": PAUSE_ANNOTATION, "take": TAKE_ANNOTATION}
    return ADVICE.format(name=printable(meta["name"]), namespace=printable(namespace), **annotations)
