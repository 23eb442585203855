"""The receiver of docs/outcomes.md does what it says."""

import dbm
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from imagemill.alerting.outcomes import CloudEvent, batch_event
from imagemill.alerting.webhook import build_event_request
from imagemill.domain.deliveries import OUTCOME_EVENTS
from imagemill.domain.images import Counts
from imagemill.local.ports import accepts, free_ports
from imagemill.local.process import kill_child, start_child
from mill import wait_for

DOC = Path(__file__).parents[3] / "docs" / "outcomes.md"
SECRET = b"sixteen bytes or more"
AT = "2026-11-21T09:15:02.213Z"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    (receiver,) = re.findall(r"```python\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
    assert len(receiver.splitlines()) == 10
    assert receiver.count("8765") == 1
    port = free_ports(1)[0]
    (tmp_path / "receiver.py").write_text(receiver.replace("8765", str(port)).replace('("",', '("127.0.0.1",'))
    with (tmp_path / "log").open("wb") as log:
        process = start_child(
            [sys.executable, str(tmp_path / "receiver.py")], environment={}, output=log, folder=tmp_path
        )
    try:
        wait_for(lambda: accepts(port), "the receiver")
        yield f"http://127.0.0.1:{port}/"
    finally:
        kill_child(process)


def answer_to(url: str, event: CloudEvent, secret: bytes = SECRET, drop: str = "", body: bytes | None = None) -> int:
    request = build_event_request(url, secret, event, int(time.time()))
    headers = {name: value for name, value in request.headers.items() if name != drop}
    return requests.post(url, data=body or request.body, headers=headers, timeout=60).status_code


def test_the_documented_receiver_keeps_ours_once_and_refuses_everything_else(url: str, tmp_path: Path) -> None:
    one, other = (batch_event("spring", Counts(accepted=n, stored=n), AT, "https://mill.example") for n in (1, 2))
    assert [answer_to(url, event) for event in (one, one, other)] == [204, 204, 204]
    forged = json.dumps({**one, "id": "forged"}).encode()
    assert answer_to(url, one, body=forged) == 403
    assert answer_to(url, one, secret=b"another one, as long") == 403
    assert answer_to(url, one, drop="Imagemill-Signature") == 403
    assert answer_to(url, one, drop="Imagemill-Timestamp") == 403
    with dbm.open(str(tmp_path / "events"), "r") as events:
        assert {key.decode(): json.loads(events[key]) for key in events.keys()} == {one["id"]: one, other["id"]: other}  # noqa: SIM118


def test_the_document_names_every_event() -> None:
    text = DOC.read_text("utf-8")
    assert [name for name in OUTCOME_EVENTS if f"| `dev.imagemill.{name}` |" not in text] == []
