"""`workerpool why` and `workerpool watch`, also by kubectl's name for them."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cluster import bodies

from imagemill_operator import cli
from imagemill_operator.policy import Backlog, Memory, Observation, decide
from imagemill_operator.pools import Handover, Refusal, parse_pool
from imagemill_operator.status import (
    decided_status,
    idle_condition,
    refused_status,
    sharing_condition,
    state_of,
    takeover_conditions,
)
from imagemill_operator.takeover import Outcome
from imagemill_operator.why import AS_IT_SHOULD_BE, why_text

KUBECTL = """\
#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
(here / "asked").write_text(json.dumps(sys.argv[1:]))
pools = json.loads((here / "pools").read_text())
if "--watch" in sys.argv:
    for pool in pools:
        print(json.dumps(pool, indent=4), flush=True)
elif pools:
    print(json.dumps(pools[0]))
else:
    sys.exit('Error from server (NotFound): workerpools.imagemill.dev "gray" not found')
"""


def pool(ready: int | None = 30, current: int = 2, **spec: Any) -> dict[str, Any]:
    body = bodies.pool(**spec)
    parsed = parse_pool(body)
    assert parsed.spec is not None
    seen = Observation(1_700_000_000.0, None if ready is None else Backlog(ready), current, current)
    decision = decide(seen, parsed.spec, Memory())
    taken = Outcome(True, "KedaPaused", "ScaledObject gray is paused.")
    more = [
        sharing_condition(None),
        idle_condition(None, tell_themselves=False),
        *takeover_conditions(taken, replace(parsed, handover=Handover("gray", is_back=False)), ()),
    ]
    state = state_of(parsed, seen, parsed.spec, decision, conditions=more)
    status = decided_status(parsed, state, parsed.spec, decision.memory)
    return {**body, "status": status}


def refused() -> dict[str, Any]:
    refusal = Refusal("TargetConflict", "OtherWorkerPool", "It belongs to another pool.")
    return {**bodies.pool(), "status": refused_status(parse_pool(bodies.pool()), refusal, 0.0)}


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A kubectl that knows these pools."""

    def knows(*pools: dict[str, Any]) -> Path:
        (tmp_path / "pools").write_text(json.dumps(pools))
        (tmp_path / "kubectl").write_text(KUBECTL.format(python=sys.executable))
        (tmp_path / "kubectl").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return tmp_path / "asked"

    return knows


def test_why_gives_the_sentence_the_numbers_and_the_arithmetic() -> None:
    lines = why_text(pool()).splitlines()
    assert lines == [
        "gray: 30 waiting, 2 workers of unknown speed: 15 each, objective 10 each, so 1 more starts.",
        "  replicas  3 desired (need), 3 needed, 2 set, 2 ready",
        "  backlog   30 waiting, 0 in work; objective 10 each",
        "  asked by  backlog_share: 30 not done ÷ 10 each = 3",
    ]


def test_why_names_what_is_not_as_it_should_be_and_nothing_else() -> None:
    text = why_text(pool(ready=200))
    assert "AtMaximum is True: 20 needed, at most 8." in text
    assert "Writable" not in text
    assert "GraceCoversWork" not in text
    unknown = why_text(pool(ready=None))
    assert "backlog   unknown" in unknown
    assert "BrokerReachable is False" in unknown


def test_why_tells_why_a_pool_is_refused() -> None:
    text = why_text(refused())
    assert "TargetConflict is True: It belongs to another pool." in text
    assert "replicas" not in text


def test_why_tells_when_no_operator_looks() -> None:
    assert "is one running that serves this namespace?" in why_text(bodies.pool())
    changed = pool()
    changed["metadata"]["generation"] = 4
    assert "no operator has decided on it since" in why_text(changed)


def test_every_condition_has_a_state_in_which_it_should_be() -> None:
    body = pool(schedules=[{"start": "0 8 * * *", "end": "0 9 * * *", "minReplicas": 1}], brokerRef={"secretName": "x"})
    assert {item["type"] for item in body["status"]["conditions"]} == AS_IT_SHOULD_BE.keys()


def test_why_asks_kubectl_with_its_own_options(kubectl: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked = kubectl(pool())
    assert cli.main(["why", "gray", "-n", "jobs", "--context", "test"]) == 0
    assert capsys.readouterr().out.startswith("gray: 30 waiting")
    asking = ["get", "workerpools.imagemill.dev", "gray", "--request-timeout=30s", "--output", "json"]
    words = [*asking, "--namespace=jobs", "--context=test"]
    assert json.loads(asked.read_text()) == words


def test_what_kubectl_says_is_passed_on(kubectl: Any, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl()
    assert cli.main(["why", "gray"]) == 2
    assert 'workerpool: Error from server (NotFound): workerpools.imagemill.dev "gray"' in capsys.readouterr().err


def test_without_kubectl_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for command in (["why", "gray"], ["watch"]):
        assert cli.main(command) == 2
        assert "kubectl cannot be run" in capsys.readouterr().err


def test_watch_says_each_decision_once(kubectl: Any, capsys: pytest.CaptureFixture[str]) -> None:
    other = pool()
    other["metadata"]["name"] = "blue"
    kubectl(pool(), other, pool(), pool(ready=80))
    assert cli.main(["watch"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["gray", "blue", "gray"]
    assert "2 → 3" in lines[0]
    assert "80 waiting" in lines[2]
    assert cli.main(["watch", "blue"]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["blue"]


def test_kubectl_finds_it_as_a_plugin(kubectl: Any) -> None:
    kubectl(pool())
    plugin = Path(sys.executable).parent / "kubectl-workerpools"
    found = subprocess.run([plugin, "why", "gray"], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.startswith("gray: 30 waiting")
    told = subprocess.run([plugin, "--help"], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.startswith("usage: kubectl workerpools")
