"""What is made of a scaler's answers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from imagemill.api.pools.service import PoolService
from imagemill.api.web.problems import Problem
from imagemill.settings import Settings


@contextmanager
def older_scaler() -> Iterator[str]:
    """It knows nothing of changes, and says so as web servers do."""

    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            self.send_error(405)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/pools"
    finally:
        server.shutdown()
        server.server_close()


def test_a_scaler_that_is_too_old_to_be_changed_answers_and_does_not_take_it() -> None:
    with older_scaler() as url, pytest.raises(Problem) as told:
        PoolService(Settings(pools_url=url, pools_steer_token="a token")).steer("gray", {"paused": True})
    assert (told.value.status, told.value.code) == (503, "scaler-unavailable")
    assert "does not take the change (405)" in told.value.detail
