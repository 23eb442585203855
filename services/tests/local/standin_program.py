"""Stands for a program of Imagemill: says how busy it is, ends on SIGTERM, crashes when told to."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CRASH_FILE = os.environ.get("CRASH_FILE", "")
BUSY = int(os.environ.get("BUSY", "0"))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"imagemill_worker_busy {BUSY}\nimagemill_worker_threads 1\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


if CRASH_FILE and Path(CRASH_FILE).exists():
    print("the reason is in the log", flush=True)
    sys.exit(3)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print("up", os.environ.get("IMAGEMILL_POOL", ""), flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["IMAGEMILL_HEALTH_PORT"])), Handler).serve_forever()
