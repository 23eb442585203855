"""The receiver of docs/webhook.md does what it says."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from imagemill.alerting.webhook import AlertBody, build_request
from imagemill.local.ports import accepts, free_ports
from imagemill.local.process import kill_child, start_child
from mill import wait_for

DOC = Path(__file__).parents[3] / "docs" / "webhook.md"
SECRET = b"sixteen bytes or more"


@pytest.fixture
def url(tmp_path):
    (receiver,) = re.findall(r"```python\n(.*?)```", DOC.read_text(), re.DOTALL)
    assert len(receiver.splitlines()) <= 10
    assert receiver.count("8765") == 1
    port = free_ports(1)[0]
    (tmp_path / "receiver.py").write_text(receiver.replace("8765", str(port)).replace('("",', '("127.0.0.1",'))
    with (tmp_path / "log").open("wb") as log:
        process = start_child([sys.executable, str(tmp_path / "receiver.py")], environment={}, output=log)
    try:
        wait_for(lambda: accepts(port), "the receiver")
        yield f"http://127.0.0.1:{port}/"
    finally:
        kill_child(process)
        assert isinstance(process, subprocess.Popen)


def answer_to(url, secret=SECRET, at=None, body=None, drop=()):
    request = build_request(url, secret, AlertBody(17, b'{"number":17}'), int(at or time.time()))
    headers = {name: value for name, value in request.headers.items() if name not in drop}
    return requests.post(url, data=body or request.body, headers=headers, timeout=60).status_code


def test_the_documented_receiver_takes_ours_and_refuses_everything_else(url):
    assert answer_to(url) == 204
    assert answer_to(url, secret=b"another one, as long") == 403
    assert answer_to(url, body=b'{"number":18}') == 403
    assert answer_to(url, at=time.time() - 600) == 403
    assert answer_to(url, drop=("Imagemill-Signature",)) == 403
    assert answer_to(url, drop=("Imagemill-Timestamp",)) == 403
