"""The operator without Imagemill: its own chart, a broker, and the consumer of the quick start."""

from imagemill_e2e import operator_alone
from imagemill_e2e.cluster import Cluster, values_of_release
from imagemill_e2e.waiting import until

MESSAGES = 40


def test_a_consumer_as_in_the_quick_start_is_woken_and_put_to_sleep(cluster: Cluster) -> None:
    with operator_alone.running(cluster, values_of_release()) as alone:
        alone.publish(MESSAGES)
        until("the pool is woken", lambda: alone.replicas() > 0, 60)
        until("every message is done", lambda: alone.status().get("backlog") == {"ready": 0, "unacked": 0}, 180)
        until("the pool sleeps", lambda: alone.replicas() == 0, 180)
        told = {item["type"]: item["status"] for item in alone.status()["conditions"]}
        assert (told["Ready"], told["Writable"], told["BrokerReachable"]) == ("True", "True", "True")
