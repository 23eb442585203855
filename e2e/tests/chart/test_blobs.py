"""Bytes in S3: told to those programs which store or read them, and to nobody else."""

import pytest
from helm_python import HelmError

from imagemill_e2e.cases import S3
from imagemill_e2e.chart import containers, environment, named, of_kind, render

WITH_BYTES = {"api", "worker-default", "worker-heavy", "writer"}
KEYS = {"IMAGEMILL_S3_ACCESS_KEY_ID", "IMAGEMILL_S3_SECRET_ACCESS_KEY"}


def test_only_those_who_store_or_read_bytes_have_the_keys() -> None:
    told = {
        item["metadata"]["labels"]["app.kubernetes.io/component"]: {
            variable["name"]: variable.get("value", "")
            for variable in containers(item["spec"]["template"]["spec"])[0].get("env", [])
        }
        for item in of_kind(render(S3), "Deployment")
    }
    assert {name for name, variables in told.items() if variables.keys() >= KEYS} == WITH_BYTES
    assert {name for name, variables in told.items() if KEYS & variables.keys()} == WITH_BYTES
    for name in WITH_BYTES:
        assert told[name]["IMAGEMILL_BLOBS_URL"] == "s3://mill/pictures"
        assert told[name]["IMAGEMILL_S3_ENDPOINT_URL"] == "https://s3.example.org:9000"
        assert told[name]["IMAGEMILL_S3_REGION"] == "us-east-1"


def test_results_come_from_where_clients_reach_them() -> None:
    public = {"blobs": {**S3["blobs"], "s3": {**S3["blobs"]["s3"], "publicEndpoint": "https://pictures.example.org"}}}
    api = containers(named(render(public), "Deployment", "api")["spec"]["template"]["spec"])[0]
    variables = {variable["name"]: variable.get("value") for variable in api["env"]}
    assert variables["IMAGEMILL_S3_PUBLIC_ENDPOINT_URL"] == "https://pictures.example.org"
    public["blobs"]["s3"]["publicEndpoint"] = "https://pictures.example.org; script-src *"
    with pytest.raises(HelmError):
        render(public)


def test_they_alone_reach_its_port() -> None:
    policy = named(render(S3), "NetworkPolicy", "blobs")["spec"]
    (who,) = policy["podSelector"]["matchExpressions"]
    assert set(who["values"]) == WITH_BYTES
    assert policy["egress"] == [{"ports": [{"port": 9000, "protocol": "TCP"}]}]
    assert not [item for item in of_kind(render(), "NetworkPolicy") if item["metadata"]["name"].endswith("-blobs")]


def test_while_bytes_move_both_places_are_told() -> None:
    moving = {"blobs": {**S3["blobs"], "url": "couchdb:", "fromUrl": "s3://mill/pictures"}}
    container = containers(named(render(moving), "Deployment", "writer")["spec"]["template"]["spec"])[0]
    variables = environment(container)
    assert variables["IMAGEMILL_BLOBS_URL"] == "couchdb:"
    assert variables["IMAGEMILL_BLOBS_FROM_URL"] == "s3://mill/pictures"
    assert {item["name"] for item in container["env"]} >= KEYS


def test_without_the_keys_a_sentence_says_what_is_missing() -> None:
    with pytest.raises(HelmError, match="existingSecret must name the Secret"):
        render({"blobs": {"url": "s3://mill/pictures"}})


@pytest.mark.parametrize("url", ["s3://", "file:///blobs", "http://s3/mill", "s3://UPPER"])
def test_a_place_that_no_pod_can_have_is_refused(url: str) -> None:
    with pytest.raises(HelmError, match="blobs"):
        render({"blobs": {"url": url}})
