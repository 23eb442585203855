"""`helm upgrade`, under load."""

import io
import json

import requests
from PIL import Image

from imagemill_e2e.cluster import Cluster
from imagemill_e2e.load import Load, check_nothing_lost
from imagemill_e2e.mill import Mill, picture
from imagemill_e2e.waiting import until

SECRETS = tuple(f"mill-imagemill-{name}" for name in ("rabbitmq", "couchdb", "couchdb-users", "access"))


def uids(cluster: Cluster) -> dict[str, set[str]]:
    """Pods by component."""
    found: dict[str, set[str]] = {}
    for pod in cluster.all("pods", "app.kubernetes.io/instance=mill"):
        if "deletionTimestamp" not in pod["metadata"]:
            component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
            found.setdefault(component, set()).add(pod["metadata"]["uid"])
    return found


def recipe_known(mill: Mill) -> bool:
    try:
        return "tiny" in [recipe["name"] for recipe in mill.get("/api/v1/recipes").json()["recipes"]]
    except requests.RequestException:
        return False


def test_a_changed_recipe_restarts_who_reads_it_and_loses_nothing(cluster: Cluster, mill: Mill, batch: str) -> None:
    recipe = json.dumps({"tiny": {"steps": [{"fit": {"width": 16, "height": 16}}, "png"]}})
    before = uids(cluster)
    with Load(mill, batch) as load:
        until("pictures are accepted", lambda: load.accepted() >= 20)
        cluster.upgrade("--set-json", f"recipes={recipe}")
        goal = load.accepted() + 20
        until("pictures are accepted again", lambda: load.accepted() >= goal)
    check_nothing_lost(mill, batch, load.story)
    after = uids(cluster)
    assert not before["api"] & after["api"]
    assert not before["writer"] & after["writer"]
    # The operator may have added workers, but none was restarted.
    assert before["worker-default"] <= after["worker-default"] or len(after["worker-default"]) < 4
    for component in ("journal", "operator", "rabbitmq", "couchdb"):
        assert before[component] == after[component], component
    # The old pod may still answer those who are connected to it.
    until("the new recipe is known", lambda: recipe_known(mill), 60)
    image_id = mill.upload([picture(3)], f"{batch}-tiny", recipe="tiny")["accepted"][0]["id"]
    mill.wait_done(f"{batch}-tiny")
    result = Image.open(io.BytesIO(mill.get(f"/api/v1/images/{image_id}/result").content))
    assert max(result.size) == 16


def test_passwords_survive_an_upgrade(cluster: Cluster, mill: Mill) -> None:
    before = {name: cluster.get("secret", name)["data"] for name in SECRETS}
    pods = uids(cluster)
    cluster.upgrade()
    assert {name: cluster.get("secret", name)["data"] for name in SECRETS} == before
    assert uids(cluster)["rabbitmq"] == pods["rabbitmq"]
    assert all(len(value) >= 12 for data in before.values() for value in data.values())
