"""The straightforward accept: a Flask route with one put (inline base64) and one confirmed publish per request.

What a capable engineer writes in an hour: threads, a connection per thread, nothing shared between requests.
"""

import base64
import os
import sys
import threading
import uuid
from urllib.parse import urlsplit

import pika
from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication
from ibm_cloud_sdk_core.authenticators import BasicAuthenticator
from ibmcloudant.cloudant_v1 import CloudantV1

app = Flask(__name__)
_local = threading.local()
_DATABASE = "naive"


def _couch() -> CloudantV1:
    if not hasattr(_local, "couch"):
        parts = urlsplit(os.environ["COUCHDB_URL"])
        _local.couch = CloudantV1(authenticator=BasicAuthenticator(parts.username, parts.password))
        _local.couch.set_service_url(f"{parts.scheme}://{parts.hostname}:{parts.port}")
        # The client compresses every request unless told otherwise; who has measured turns it off.
        _local.couch.set_enable_gzip_compression("NAIVE_TUNED" not in os.environ)
    return _local.couch


def _channel() -> pika.adapters.blocking_connection.BlockingChannel:
    if not hasattr(_local, "channel"):
        _local.channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"])).channel()
        _local.channel.confirm_delivery()
    return _local.channel


@app.post("/image")
def accept() -> tuple[Response, int]:
    data = request.get_data()
    image_id = str(uuid.uuid4())
    attachment = {"content_type": "image/jpeg", "data": base64.b64encode(data).decode()}
    document = {"_id": image_id, "status": "accepted", "_attachments": {"original": attachment}}
    _couch().put_document(db=_DATABASE, doc_id=image_id, document=document)
    properties = pika.BasicProperties(message_id=image_id, delivery_mode=2)
    _channel().basic_publish("", "naive", data, properties, mandatory=True)
    return jsonify({"id": image_id}), 202


class Server(BaseApplication):
    """The same web server, with the same number of threads, as ours."""

    def load_config(self) -> None:
        for name, value in {
            "bind": f"127.0.0.1:{sys.argv[1]}", "worker_class": "gthread", "threads": 48, "keepalive": 30,
            "control_socket_disable": True, "loglevel": "warning",
        }.items():  # fmt: skip
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return app


if __name__ == "__main__":
    Server().run()
