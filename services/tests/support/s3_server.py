"""An S3 to test with: moto's in this process, or the one that S3_URL names (`http://key:secret@host:port/bucket`)."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import boto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"


@dataclass(frozen=True)
class S3Server:
    """Its address, a bucket in it, and who may use that."""

    url: str
    bucket: str
    access_key: str = "tester"
    secret_key: str = "a secret of nobody"

    def settings(self, prefix: str = "") -> dict[str, str]:
        """What tells Imagemill of it."""
        return {
            "blobs_url": f"s3://{self.bucket}/{prefix}",
            "s3_endpoint_url": self.url,
            "s3_region": REGION,
            "s3_access_key_id": self.access_key,
            "s3_secret_access_key": self.secret_key,
        }


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A server with a bucket."""
    if url := os.environ.get("S3_URL"):
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.hostname}:{parts.port}"
        yield S3Server(address, parts.path.strip("/"), parts.username or "", parts.password or "")
        return
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        made = S3Server(f"http://{host}:{port}", "mill")
        client = boto3.client(
            "s3", endpoint_url=made.url, aws_access_key_id=made.access_key, aws_secret_access_key=made.secret_key,
            region_name=REGION,
        )  # fmt: skip
        client.create_bucket(Bucket=made.bucket)
        yield made
    finally:
        server.stop()
