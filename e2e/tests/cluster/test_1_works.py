"""It works, and is what it should be."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from imagemill_e2e.cluster import Cluster, CommandFailed
from imagemill_e2e.mill import Mill, picture
from imagemill_e2e.waiting import until

RABBITMQ = "mill-imagemill-rabbitmq-0"
PROGRAMS = (
    "api", "writer", "journal", "worker-default", "camera", "analyzer", "alerter", "operator", "rabbitmq", "couchdb",
)  # fmt: skip


def test_an_upload_over_http_gives_its_result(mill: Mill, batch: str) -> None:
    url = mill.upload([picture(1)], batch)["accepted"][0]["url"]
    counts = mill.wait_done(batch)
    assert (counts["accepted"], counts["stored"]) == (1, 1)
    result = Image.open(io.BytesIO(mill.get(url + "/result").content))
    assert (result.format, result.mode, result.size) == ("PNG", "L", (160, 120))
    steps = [step["at"] for step in mill.get(url).json()["trace"]]
    assert steps == sorted(steps)


def test_an_upload_on_the_page_gives_its_result(
    mill: Mill, batch: str, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    files = [tmp_path / f"photo-{number}.jpg" for number in range(3)]
    for number, file in enumerate(files):
        file.write_bytes(picture(100 + number))
    browser.get(mill.url)
    browser.find_element(By.ID, "batch").send_keys(batch)
    browser.find_element(By.ID, "files").send_keys("\n".join(map(str, files)))
    waiting = WebDriverWait(browser, 60)
    waiting.until(lambda page: len(page.find_elements(By.CSS_SELECTOR, "#rows .c-state.stored")) == len(files))
    assert mill.wait_done(batch)["stored"] == len(files)
    browser.get(f"{mill.url}/batches/{batch}")
    waiting.until(lambda page: "photo-2.jpg" in page.find_element(By.ID, "main").text)


def test_500_pictures_add_up(mill: Mill, batch: str) -> None:
    for first in range(0, 500, 25):
        answer = mill.upload([picture(10_000 + first + number) for number in range(25)], batch)
        assert len(answer["accepted"]) == 25
    mill.upload([picture(10_000), b"no picture"], batch)
    counts = mill.wait_done(batch)
    assert counts["offered"] == counts["accepted"] + counts["rejected"] == 502
    assert counts["accepted"] == counts["stored"] + counts["failed"] + counts["in_flight"] == 501
    assert (counts["rejected"], counts["failed"], counts["in_flight"], counts["duplicates"]) == (1, 0, 0, 1)
    assert set(mill.statuses(batch).values()) == {"stored"}


def test_a_pool_at_zero_starts_for_its_first_picture(cluster: Cluster, mill: Mill, batch: str) -> None:
    until("the pool sleeps", lambda: not cluster.pods("worker-heavy"), 180)
    mill.upload([picture(2)], batch, recipe="denoise")
    assert mill.wait_done(batch)["stored"] == 1
    pools = {pool["name"]: pool for pool in mill.get("/api/v1/pools").json()["pools"]}
    assert set(pools) == {"default", "heavy"}


def rabbitmqctl(cluster: Cluster, *arguments: str) -> Any:
    return json.loads(cluster.execute(RABBITMQ, "rabbitmqctl", "--quiet", "--formatter", "json", *arguments))


def test_rabbitmq_is_a_cluster_of_three(cluster: Cluster, mill: Mill) -> None:
    status = rabbitmqctl(cluster, "cluster_status")
    assert len(status["running_nodes"]) == len(status["disk_nodes"]) == 3
    assert status["partitions"] == {}


def durable_queues(cluster: Cluster) -> dict[str, Any]:
    queues = rabbitmqctl(cluster, "list_queues", "--vhost", "imagemill", "name", "type", "members", "durable")
    return {queue["name"]: queue for queue in queues if queue["durable"]}


def test_queues_are_quorum_queues_on_three_nodes(cluster: Cluster, mill: Mill) -> None:
    queues = durable_queues(cluster)
    assert set(queues) >= {
        "work.default", "work.heavy", "dead.default", "dead.heavy", "results.0", "results.3", "activity.journal",
    }  # fmt: skip
    assert {queue["type"] for queue in queues.values()} <= {"quorum", "rabbit_quorum_queue"}
    until(
        "every queue has three members",
        lambda: all(len(queue["members"]) == 3 for queue in durable_queues(cluster).values()),
        180,
    )


def test_there_is_no_default_user(cluster: Cluster, mill: Mill) -> None:
    users = {user["user"]: user["tags"] for user in rabbitmqctl(cluster, "list_users")}
    assert users == {
        "api": [],
        "worker": [],
        "writer": [],
        "journal": [],
        "camera": [],
        "analyzer": [],
        "alerter": [],
        "operator": ["monitoring"],
    }


PUBLISH = """
import os, pika
channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"])).channel()
channel.confirm_delivery()
try:
    channel.basic_publish("images", "image.gray", b"x")
except pika.exceptions.ChannelClosedByBroker as refusal:
    print(refusal.reply_code, refusal.reply_text)
"""


def test_a_worker_may_not_publish_pictures(cluster: Cluster, mill: Mill) -> None:
    answer = cluster.execute(cluster.running("worker-default")[0], "python", "-c", PUBLISH)
    assert answer.startswith("403 ACCESS_REFUSED")


def test_pods_are_not_root_and_their_root_file_system_is_read_only(cluster: Cluster, mill: Mill) -> None:
    for component in PROGRAMS:
        pod = cluster.running(component)[0]
        assert cluster.execute(pod, "id", "-u").strip() != "0"
        with pytest.raises(CommandFailed, match="Read-only file system"):
            cluster.execute(pod, "touch", "/here")


def test_the_charts_own_test_passes(cluster: Cluster, mill: Mill) -> None:
    assert "Phase:          Succeeded" in cluster.helm("test", "mill", "--timeout", "3m")
