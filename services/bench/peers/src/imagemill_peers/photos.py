"""What every peer does with a photo, queue library aside: store it, make it gray, store that."""

import os
import threading

import cv2
import numpy as np
import requests

_TIMEOUT_SECONDS = 60
_local = threading.local()
QUEUE = os.environ.get("PEER_QUEUE", "photos")


def amqp_url() -> str:
    """The broker's address."""
    return os.environ["AMQP_URL"]


def store_original(photo_id: str, data: bytes) -> str:
    """Store the photo as a raw attachment of a new document; returns its revision."""
    answer = _put(photo_id, "original", data, "image/jpeg")
    answer.raise_for_status()
    return str(answer.json()["rev"])


def make_gray(photo_id: str, revision: str, data: bytes) -> None:
    """Store the gray PNG beside the original; a conflict means that an earlier delivery did."""
    cv2.setNumThreads(1)
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    png = cv2.imencode(".png", gray)[1].tobytes()
    answer = _put(photo_id, "result", png, "image/png", rev=revision)
    if answer.status_code != requests.codes.conflict:
        answer.raise_for_status()


def _put(photo_id: str, attachment: str, data: bytes, content_type: str, **query: str) -> requests.Response:
    address = f"{os.environ['COUCHDB_URL']}/{os.environ['PEER_DATABASE']}/{photo_id}/{attachment}"
    headers = {"Content-Type": content_type}
    return _session().put(address, params=query, data=data, headers=headers, timeout=_TIMEOUT_SECONDS)


def _session() -> requests.Session:
    """One a thread: a connection that stays open, and no look at proxies or .netrc for each request."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
        _local.session.trust_env = False
    session: requests.Session = _local.session
    return session
