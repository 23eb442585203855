"""The schema is the source of values.yaml and of the README's table, and refuses what it does not know."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from helm_python import HelmError

from imagemill_e2e.chart import CHART, OPERATOR_CHART, notes, render

every_chart = pytest.mark.parametrize("path", [CHART, OPERATOR_CHART], ids=lambda path: path.name)


@pytest.fixture(scope="module")
def values() -> ModuleType:
    spec = importlib.util.spec_from_file_location("chart_values", CHART.parent / "values.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_values_and_readme_say_what_the_schema_says(values: ModuleType) -> None:
    for path, text in values.files().items():
        assert path.read_text("utf-8") == text, "run: python charts/values.py --write"


@every_chart
def test_values_yaml_is_the_schemas_defaults(values: ModuleType, path: Path) -> None:
    assert yaml.safe_load((path / "values.yaml").read_text("utf-8")) == values.defaults(values.load(path))


@every_chart
def test_every_key_is_described_and_closed(values: ModuleType, path: Path) -> None:
    def check(place: str, schema: dict[str, Any]) -> None:
        assert schema.get("description") or "$ref" in schema, place
        if values.is_section(schema):
            assert schema["additionalProperties"] is False, place
            for key, value in schema["properties"].items():
                check(f"{place}.{key}", value)

    check("values", values.load(path))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"replicas": 3}, ["additional properties 'replicas' not allowed"]),
        ({"api": {"replica": 3}}, ["/api", "additional properties 'replica' not allowed"]),
        ({"defaults": {"nodeselector": {}}}, ["/defaults", "'nodeselector'"]),
        ({"workers": {"pools": {"default": {"recipes": ["*"], "max": 3}}}}, ["/workers/pools/default", "'max'"]),
        ({"workers": {"pools": {"video": {}}}}, ["/workers/pools/video", "missing property 'recipes'"]),
        ({"rabbitmq": {"replicas": 2}}, ["/rabbitmq/replicas", "1, 3, 5"]),
        ({"couchdb": {"replicas": 2}}, ["/couchdb/replicas"]),
        ({"logLevel": "loud"}, ["/logLevel", "debug"]),
        ({"api": {"resources": {"requests": {"cpu": "much"}}}}, ["/api/resources/requests/cpu", "much"]),
        ({"recipes": {"tiny": {"step": []}}}, ["/recipes/tiny", "'steps'"]),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(wrong: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(HelmError) as refusal:
        render(wrong)
    for part in told:
        assert part in str(refusal.value)


def test_exactly_one_pool_takes_every_other_recipe() -> None:
    with pytest.raises(HelmError, match="exactly one pool"):
        render({"workers": {"pools": {"default": {"recipes": ["gray"]}}}})
    with pytest.raises(HelmError, match="exactly one pool"):
        render({"workers": {"pools": {"video": {"recipes": ["*"]}}}})


def test_notes_end_in_commands_which_can_be_pasted() -> None:
    lines = notes().rstrip().splitlines()
    assert lines[-1].strip().startswith('curl --fail --header "Authorization: Bearer $TOKEN" --form file=@photo.jpg')
    assert any("kubectl get secret --namespace mills mill-imagemill-access" in line for line in lines)
    assert any("kubectl port-forward --namespace mills service/mill-imagemill-api 8080:80" in line for line in lines)
    assert any("kubectl delete pvc --namespace mills --selector" in line for line in lines)


def test_notes_speak_of_the_crd_after_an_upgrade() -> None:
    assert "helm show crds" in notes(upgrade=True)
    assert "helm show crds" not in notes()
