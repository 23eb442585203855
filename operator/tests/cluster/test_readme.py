"""The README says what is so."""

import re
from pathlib import Path
from typing import Any

import yaml
from bench.rig import RULES
from tests.cluster.test_crd import SCHEMA

from imagemill_operator.policy import Limit
from imagemill_operator.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text()
SOURCE = (Path(__file__).parents[2] / "src" / "imagemill_operator" / "settings.py").read_text()


def blocks() -> list[Any]:
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]


def test_the_rights_are_those_the_rig_runs_with() -> None:
    assert {"rules": RULES} in blocks()


def test_every_variable_is_explained() -> None:
    names = set(re.findall(r'"((?:IMAGEMILL|AMQP|POD)_[A-Z_]+)"', SOURCE))
    assert len(names) >= len(Settings.__slots__)
    assert {name for name in names if f"`{name}`" not in README} == set()


def test_every_field_of_the_spec_is_explained() -> None:
    fields = SCHEMA["properties"]["spec"]["properties"]
    assert {name for name in fields if not re.search(rf"`{name}[`.]", README)} == set()


def test_every_limit_is_explained() -> None:
    assert {limit.value for limit in Limit if f"`{limit.value}`" not in README} == set()
