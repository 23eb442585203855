"""ScaledJobs, which no pool can be."""

from typing import NoReturn

from imagemill_operator.convert.fields import Fields
from imagemill_operator.convert.model import Refused
from imagemill_operator.convert.scaling import DEFAULT_MAX_REPLICAS


def refuse_job(document: Fields) -> NoReturn:
    """Raise Refused with what would have to change."""
    spec = document.object("spec")
    rabbit = [trigger for trigger in spec.objects("triggers") if trigger.text("type") == "rabbitmq"]
    queues = ", ".join(dict.fromkeys(trigger.object("metadata").text("queueName") for trigger in rabbit)) or "none"
    raise Refused(
        "A ScaledJob starts Jobs which end; a pool sets the replicas of a Deployment whose pods go on. Leave it to "
        "KEDA if each message needs a pod of its own. Otherwise run the container of jobTargetRef as a Deployment that "
        f"consumes the queue and stops on SIGTERM, and write a WorkerPool for it: queues {queues}, maxReplicas "
        f"{spec.count('maxReplicaCount', DEFAULT_MAX_REPLICAS)}. scalingStrategy has no equivalent."
    )
