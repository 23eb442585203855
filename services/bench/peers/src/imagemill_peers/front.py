"""The web side of every peer: one Flask route, served by gunicorn's threads."""

import asyncio
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication

from imagemill_peers.photos import store_original

Publish = Callable[[str, str, bytes], None]
_CONFIRM_SECONDS = 60


def serve(publish: Publish) -> None:
    """Answer POST /image with 202 once the photo is stored and `publish(id, revision, bytes)` returned."""
    app = Flask(__name__)

    @app.post("/image")
    def accept() -> tuple[Response, int]:
        data, photo_id = request.get_data(), uuid.uuid4().hex
        publish(photo_id, store_original(photo_id, data), data)
        return jsonify({"id": photo_id}), 202

    _Server(app).run()


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask) -> None:
        self._app = app
        super().__init__()

    def load_config(self) -> None:
        options = {"worker_class": "gthread", "threads": 16, "keepalive": 30, "loglevel": "warning"}
        for name, value in {"bind": f"127.0.0.1:{sys.argv[2]}", "control_socket_disable": True, **options}.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


class Background:
    """An event loop in a thread: what libraries without a blocking interface need inside Flask."""

    def __init__(self, startup: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._startup, self._lock = startup, threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run to the end; the first call starts the loop, in the process that gunicorn forked."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, daemon=True).start()
                asyncio.run_coroutine_threadsafe(self._startup(), self._loop).result(_CONFIRM_SECONDS)
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_CONFIRM_SECONDS)


def main(publish: Publish, work: Callable[[], None]) -> None:
    """`front PORT` serves, `worker` works."""
    if sys.argv[1] == "front":
        serve(publish)
    else:
        work()
