"""Uploads a picture and waits for its result, as a user would: the test of `helm test`."""

import io
import os
import sys
import time

import requests
from PIL import Image

API = os.environ["API_URL"]
HEADERS = {"Authorization": f"Bearer {os.environ['API_TOKEN']}"}
TIMEOUT_SECONDS = float(os.environ["TIMEOUT_SECONDS"])
UNTIL = time.monotonic() + TIMEOUT_SECONDS


def patiently(method: str, path: str, **arguments: object) -> requests.Response:
    """The answer once the API gives a good one (refused connections and 50x pass by); exits when time is over."""
    while True:
        try:
            answer = requests.request(method, API + path, headers=HEADERS, timeout=10, **arguments)
            if answer.status_code < 500:
                return answer
            reason = f"{answer.status_code} {answer.text[:200]}"
        except requests.RequestException as error:
            reason = type(error).__name__
        if time.monotonic() > UNTIL:
            sys.exit(f"error: {method} {path}: {reason}, after {TIMEOUT_SECONDS:g} s")
        time.sleep(1)


def picture() -> bytes:
    """One which nobody sent before, so that it is worked on and not found."""
    image = Image.effect_noise((640, 480), 64).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def expect(answer: requests.Response, status: int) -> requests.Response:
    """Exits unless the answer has this status."""
    if answer.status_code != status:
        sys.exit(f"error: {answer.request.method} {answer.url} answered {answer.status_code}: {answer.text[:500]}")
    return answer


def main() -> None:
    """Exits with a sentence when something is not as it should be."""
    sent = patiently("POST", "/api/v1/images?recipe=gray&name=helm-test.png", data=picture())
    url = expect(sent, 202).json()["accepted"][0]["url"]
    print(f"accepted: {url}", flush=True)
    while (status := expect(patiently("GET", url), 200).json()["status"]) not in ("stored", "failed"):
        if time.monotonic() > UNTIL:
            sys.exit(f"error: after {TIMEOUT_SECONDS:g} s the picture is still {status}")
        time.sleep(0.5)
    result = expect(patiently("GET", url + "/result"), 200)
    image = Image.open(io.BytesIO(result.content))
    if (image.mode, image.size) != ("L", (640, 480)):
        sys.exit(f"error: the result is {image.mode} {image.size}, expected grey (L) and 640 x 480")
    print(f"{status}: {len(result.content)} bytes, {image.format} {image.mode} {image.size}")


if __name__ == "__main__":
    main()
