"""How the charts come to a cluster: from a checkout without network, packed, and as a file for kubectl."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import helm_python
import pytest
import yaml

from imagemill_e2e.chart import CHART, OPERATOR_CHART, Manifest, chart, of_kind, render


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"charts_{name}", CHART.parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def install() -> ModuleType:
    return script("install")


def test_the_operators_templates_are_there_in_a_fresh_checkout() -> None:
    link = CHART / "charts" / OPERATOR_CHART.name
    assert link.readlink() == Path("..", "..", OPERATOR_CHART.name)
    assert [item["status"] for item in helm_python.dependency_list(str(CHART))] in (["unpacked"], ["ok"])


def test_the_dependency_is_of_the_version_that_is_there() -> None:
    mill, operator = (yaml.safe_load((path / "Chart.yaml").read_text("utf-8")) for path in (CHART, OPERATOR_CHART))
    (dependency,) = mill["dependencies"]
    assert (dependency["name"], dependency["version"]) == (operator["name"], operator["version"])
    assert mill["appVersion"] == operator["appVersion"]


def test_the_dependency_brings_templates_and_no_resource() -> None:
    files = chart().render({}, name="mill", namespace="mills")
    made = {path: text for path, text in files.items() if "/charts/" in path and not path.endswith("NOTES.txt")}
    assert made
    assert {path: text for path, text in made.items() if list(yaml.safe_load_all(text)) not in ([], [None])} == {}


def test_dependency_build_needs_no_network_and_changes_nothing(tmp_path: Path) -> None:
    shutil.copytree(CHART.parent, tmp_path / "charts", symlinks=True)
    copy = tmp_path / "charts" / CHART.name
    helm_python.dependency_build(str(copy))
    before, after = (sorted(map(kind_and_name, render(path=path))) for path in (CHART, copy))
    assert after == before
    assert of_kind(render(path=copy), "Deployment", "Role") == of_kind(render(), "Deployment", "Role")


def test_a_packed_chart_renders_the_same(tmp_path: Path) -> None:
    packed = helm_python.package(str(CHART), destination=str(tmp_path))
    loaded = helm_python.Chart.load_archive(Path(packed).read_bytes())
    before, after = (item.render({}, name="mill", namespace="mills") for item in (chart(), loaded))
    operator = "imagemill/templates/operator/deployment.yaml"
    assert (after.keys(), after[operator]) == (before.keys(), before[operator])


def kind_and_name(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def test_the_install_file_is_what_the_chart_renders(install: ModuleType) -> None:
    made = install.manifests("mills", "rabbit", release="mill")
    expected = render(install.values("rabbit"), path=OPERATOR_CHART)
    for manifest in made:
        manifest["metadata"].pop("namespace", None)
    assert sorted(made, key=kind_and_name) == sorted(expected, key=kind_and_name)


def test_the_install_file_says_all_of_it(install: ModuleType) -> None:
    text = install.install_file("jobs", "rabbit")
    assert list(yaml.safe_load_all(text)) == install.manifests("jobs", "rabbit")
    assert "kubectl create secret generic rabbit --namespace jobs --from-literal=amqp-url=" in text


def test_the_install_file_can_be_applied_from_top_to_bottom(install: ModuleType) -> None:
    documents = list(yaml.safe_load_all(install.install_file("jobs", "broker")))
    assert [item["kind"] for item in documents[:2]] == ["CustomResourceDefinition", "ServiceAccount"]
    for item in documents:
        wide = item["kind"] in install.CLUSTER_WIDE
        assert item["metadata"].get("namespace") == (None if wide else "jobs"), item["kind"]


def test_the_charts_are_clean_to_helm_lint() -> None:
    assert list(script("lint").findings()) == []
