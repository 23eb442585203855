"""A camera over HTTP: snapshots, MJPEG in the dialects that are found, logins, and everything that goes wrong."""

import hashlib
import re
import time
from base64 import b64encode
from http.server import BaseHTTPRequestHandler

import cv2
import numpy as np

USER, PASSWORD = "viewer", "p@ss/w:rd"
NONCE, REALM = "abc123", "cam"


def picture(number):
    """A small JPEG that shows its number as the brightness of its halves; hundreds of numbers differ."""
    shown = np.full((48, 64, 3), (number * 10) % 250, np.uint8)
    shown[:, 32:] = (number // 25 * 10) % 250
    return cv2.imencode(".jpg", shown)[1].tobytes()


class WebCam(BaseHTTPRequestHandler):
    """`server.behaviour` decides; `server.asked` keeps (path, authorization) of every request."""

    def log_message(self, *args):
        """Silent."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization"), self.headers.get("Host")))
        behaviour = self.server.behaviour
        if not self.authorized(behaviour.get("auth")):
            return
        name = self.path.strip("/").partition("?")[0].replace("-", "_")
        try:
            getattr(self, f"get_{name}", self.get_nothing)(behaviour)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def authorized(self, wanted):
        given = self.headers.get("Authorization", "")
        basic = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        right = {None: True, "Basic": given == basic, "Digest": self.digest_is_right(given)}
        if right[wanted]:
            return True
        digest = f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth"'
        challenge = digest if wanted == "Digest" else 'Basic realm="cam"'
        self.answer(401, b"x" * 10, "text/plain", [("WWW-Authenticate", challenge)])
        return False

    def digest_is_right(self, given):
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
        if not given.startswith("Digest") or fields.get("uri") != self.path:
            return False
        secret = md5(f"{USER}:{REALM}:{PASSWORD}")
        middle = f"{NONCE}:{fields['nc']}:{fields['cnonce']}:auth"
        return fields["response"] == md5(f"{secret}:{middle}:{md5(f'GET:{self.path}')}")

    def answer(self, status, body, content_type="image/jpeg", more=()):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def get_nothing(self, behaviour):
        self.answer(404, b"no")

    def get_snapshot(self, behaviour):
        self.answer(200, picture(len(self.server.asked)))

    def get_page(self, behaviour):
        self.answer(200, b"<html>welcome</html>", "text/html")

    def get_moved(self, behaviour):
        self.answer(302, b"", more=[("Location", behaviour["to"])])

    def get_huge(self, behaviour):
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        self.wfile.write(picture(1))
        while True:
            self.wfile.write(bytes(1 << 20))

    def get_drip(self, behaviour):
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        for byte in picture(1):
            self.wfile.write(bytes([byte]))
            time.sleep(0.05)

    def get_mjpeg(self, behaviour):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(behaviour.get("count", 10_000)):
            data = picture(number)
            length = f"Content-Length: {len(data)}\r\n" if behaviour.get("lengths", True) else ""
            self.wfile.write(f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + data + b"\r\n")
            time.sleep(behaviour.get("pause", 0.02))
        if behaviour.get("hang"):
            time.sleep(behaviour["hang"])
