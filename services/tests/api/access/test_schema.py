"""Requests made of the API's own description, sane and insane, as every role: what comes back is what it says.

IMAGEMILL_SCHEMA_EXAMPLES asks more of every route than the two sane and two insane requests of every run.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

from imagemill.api.web.openapi import codes
from imagemill.domain.access import Role
from imagemill.local.couch import CouchServer
from imagemill.local.rabbit import RabbitServer
from mill import Mill
from mills import running_mill

EXAMPLES = int(os.environ.get("IMAGEMILL_SCHEMA_EXAMPLES", "2"))
REQUESTS = hypothesis.settings(
    max_examples=EXAMPLES, database=None, derandomize=True, deadline=None, phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
WHO = (None, "bound", *Role)
ADMIN_TOKEN = "a-token-of-the-settings-for-the-tests"
CHECKS: list[CheckFunction] = [content_type_conformance, response_headers_conformance, response_schema_conformance]
# An answer without end, and one that comes when a browser is told.
ENDLESS = {"/api/v1/events"}
# What the door says before any route is asked.
# 414 and 431 are the server's own, before anything of a request is looked at.
AT_THE_DOOR = {401, 403, 414, 429, 431}


@pytest.fixture(scope="module")
def mill(rabbit: RabbitServer, couch: CouchServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    """Behind a login; nobody reads cameras or sends alerts: whoever asks for that waits in vain, but not long."""
    folder = tmp_path_factory.mktemp("mill")
    with running_mill(
        rabbit, couch, folder, login="true", admin_token=ADMIN_TOKEN, camera_test_seconds=2, max_wait_seconds=0.2
    ) as running:
        running.http.headers["Authorization"] = f"Bearer {ADMIN_TOKEN}"
        yield running


@pytest.fixture(scope="module")
def tokens(mill: Mill) -> Mapping[str | None, str]:
    def made(who: str, role: str, **more: Any) -> str:
        answer = mill.post("/api/v1/tokens", json={"name": who, "role": role, **more})
        return str(answer.json()["token"])

    bound = made("bound", "uploader", limits={"source": "gate"})
    return {"bound": bound, **{role: made(role, role) for role in Role}}


@pytest.fixture(scope="module")
def schema(mill: Mill) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_dict(mill.get("/api/v1/openapi.json").json())


@pytest.fixture(scope="module")
def cases(schema: schemathesis.BaseSchema) -> Callable[[GenerationMode], list[Case]]:
    """Every role makes the same requests: to think of them takes longer than to make them."""

    @functools.cache
    def of_mode(mode: GenerationMode) -> list[Case]:
        operations = [found.ok() for found in schema.get_all_operations()]
        return [case for operation in operations if operation.path not in ENDLESS for case in made(operation, mode)]

    return of_mode


def made(operation: schemathesis.schemas.APIOperation, mode: GenerationMode) -> list[Case]:
    """Nothing insane can be said in a request without parameters: then there is none."""
    found: list[Case] = []

    @REQUESTS
    @hypothesis.given(operation.as_strategy(mode))
    def keep(case: Case) -> None:
        found.append(case)

    with contextlib.suppress(hypothesis.errors.Unsatisfiable):
        keep()
    return found


def problem_of(answer: schemathesis.Response) -> str | None:
    """What is wrong with an error, as a sentence: each has a code that is described, with this status."""
    known = {code.name: code for code in codes.ALL}
    code = answer.json().get("code")
    if code not in known:
        return f"the code {code!r} is not described"
    return None if answer.status_code in known[code].statuses else f"{code!r} is described without {answer.status_code}"


def check(case: Case, answer: schemathesis.Response) -> None:
    described = {int(status) for status in case.operation.definition.raw["responses"] if status != "default"}
    found = f"{case.operation.label}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code in described | AT_THE_DOOR, f"undocumented: {found}"
    assert answer.status_code != 500, found
    if answer.status_code >= 400:
        assert problem_of(answer) is None, f"{problem_of(answer)}: {found}"
    case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("who", WHO, ids=str)
def test_what_is_described_is_what_comes(
    who: str | None, mode: GenerationMode, mill: Mill, tokens: Mapping[str | None, str],
    cases: Callable[[GenerationMode], list[Case]],
) -> None:  # fmt: skip
    headers = {"Authorization": f"Bearer {tokens[who]}"} if who else {}
    wrong = []
    with requests.Session() as session:
        for case in cases(mode):
            try:
                check(case, case.call(base_url=mill.url, headers=headers, session=session, allow_redirects=False))
            except Exception as error:
                wrong.append(str(error))
    assert not wrong, "\n\n".join(wrong)
    assert len(cases(mode)) > 20
