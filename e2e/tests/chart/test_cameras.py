"""The camera path: logins and channels from Secrets, and the ways out of the cluster which it needs."""

import pytest

from imagemill_e2e.chart import Manifest, Values, environment, named, render

SECRETS: Values = {"camera": {"credentialsSecret": "cameras"}, "alerter": {"channelsSecret": "channels"}}
CREDENTIALS, CHANNELS = "IMAGEMILL_CAMERA_CREDENTIALS_FILE", "IMAGEMILL_CHANNELS_FILE"


def pod(name: str, values: Values | None) -> Manifest:
    spec: Manifest = named(render(values), "Deployment", name)["spec"]["template"]["spec"]
    return spec


def secret_of(spec: Manifest, file: str) -> str:
    """The Secret from which a container's file comes; raises StopIteration when it is not mounted there."""
    folder, _, key = file.rpartition("/")
    mounts = spec["containers"][0]["volumeMounts"]
    volume = next(mount["name"] for mount in mounts if mount["mountPath"] == folder and mount["readOnly"])
    secret = next(item["secret"] for item in spec["volumes"] if item["name"] == volume)
    assert secret["items"] == [{"key": key, "path": key}]
    return str(secret["secretName"])


@pytest.mark.parametrize(
    ("program", "variable", "secret"),
    [("camera", CREDENTIALS, "cameras"), ("api", CREDENTIALS, "cameras"), ("alerter", CHANNELS, "channels")],
)
def test_a_secret_is_mounted_where_the_program_looks_for_it(program: str, variable: str, secret: str) -> None:
    spec = pod(program, SECRETS)
    assert secret_of(spec, environment(spec["containers"][0])[variable]) == secret


@pytest.mark.parametrize("program", ["api", "camera", "analyzer", "alerter"])
def test_without_secrets_there_are_no_files(program: str) -> None:
    spec = pod(program, None)
    assert not {CREDENTIALS, CHANNELS} & environment(spec["containers"][0]).keys()
    assert not [volume for volume in spec["volumes"] if "secret" in volume]


def test_channels_are_the_alerters_alone() -> None:
    for program in ("api", "camera", "analyzer"):
        assert CHANNELS not in environment(pod(program, SECRETS)["containers"][0])


def test_a_missing_secret_of_cameras_does_not_keep_the_api_from_starting() -> None:
    volume = next(item for item in pod("api", SECRETS)["volumes"] if item["name"] == "cameras")
    assert volume["secret"]["optional"] is True


def test_an_api_without_readers_has_no_logins() -> None:
    values = {"camera": {"enabled": False, "credentialsSecret": "cameras"}}
    assert CREDENTIALS not in environment(pod("api", values)["containers"][0])


def ports_out(policy: str, values: Values | None = None) -> set[int]:
    """Ports on which a policy lets its pods reach any host, name servers aside."""
    rules = named(render(values), "NetworkPolicy", policy)["spec"]["egress"]
    return {port["port"] for rule in rules if "to" not in rule for port in rule["ports"]}


@pytest.mark.parametrize(("policy", "value"), [("camera", "cameraPorts"), ("alerter", "channelPorts")])
def test_who_goes_out_reaches_the_ports_of_the_values(policy: str, value: str) -> None:
    assert ports_out(policy, {"networkPolicy": {value: [10554, 8765]}}) == {10554, 8765}


def test_the_api_reaches_nothing_outside_since_readers_test_cameras() -> None:
    assert ports_out("api") == set()


def test_the_analyzer_goes_nowhere_but_to_broker_and_database() -> None:
    assert ports_out("programs") == set()
