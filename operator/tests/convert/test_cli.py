"""The command line: what goes where, and with which exit status."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.convert.manifests import scaled_object, trigger

from imagemill_operator.cli import main

GOOD = yaml.safe_dump(scaled_object())
PARTLY = yaml.safe_dump(scaled_object(trigger(), {"type": "cpu", "metadata": {}}))


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> "Typed":
    return Typed(monkeypatch)


class Typed:
    """Standard input."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, text: str | bytes) -> None:
        content = text.encode() if isinstance(text, str) else text
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_manifests_go_to_standard_output_and_words_to_standard_error(
    typed: Typed, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(GOOD)
    assert main(["convert"]) == 0
    out, err = capsys.readouterr()
    assert yaml.safe_load(out)["kind"] == "WorkerPool"
    assert "ScaledObject jobs/resize: backlogPerReplica is KEDA's value." in err
    assert "kubectl annotate scaledobject" in err


def test_files_are_read_one_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str], typed: Typed) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    typed(yaml.safe_dump(scaled_object() | {"metadata": {"name": "second", "namespace": "other"}}))
    assert main(["convert", str(tmp_path / "a.yaml"), "-"]) == 0
    assert len(list(yaml.safe_load_all(capsys.readouterr().out))) == 2


def test_what_could_not_be_converted_is_a_status_of_one(typed: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    typed(PARTLY)
    assert main(["convert"]) == 1
    assert "NOT CONVERTED: spec.triggers[1] (cpu)" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "a: [", "words", b"\xff\xfe\xfa", "apiVersion: v1\nkind: Secret\n"])
def test_bad_input_is_a_status_of_two_and_no_output(
    text: str | bytes, typed: Typed, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(text)
    assert main(["convert"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("workerpool: ")


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "/nowhere.yaml"]) == 2
    assert "/nowhere.yaml" in capsys.readouterr().err


def test_objective_and_virtual_host_can_be_given(typed: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    typed(yaml.safe_dump(scaled_object(trigger(host=None, hostFromEnv="RABBIT"))))
    assert main(["convert", "--max-wait-seconds", "20", "--vhost", "jobs"]) == 0
    spec = yaml.safe_load(capsys.readouterr().out)["spec"]
    assert (spec["maxWaitSeconds"], spec["vhost"]) == (20, "jobs")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_an_objective_that_cannot_be_meant_is_refused(seconds: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["convert", "--max-wait-seconds", seconds])
    assert end.value.code == 2


def test_neither_kubernetes_nor_a_broker_s_client_is_loaded() -> None:
    script = "import sys, imagemill_operator.cli; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {"kopf", "kubernetes", "aiohttp", "pika"} & set(run.stdout.split()) == set()
