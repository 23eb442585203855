"""An S3 to test with: moto's, in this process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from moto.server import ThreadedMotoServer

ACCESS_KEY, SECRET_KEY, REGION = "tester", "a secret of nobody", "us-east-1"


@dataclass(frozen=True)
class S3Server:
    """Its address, and a bucket in it."""

    url: str
    bucket: str

    def settings(self, prefix: str = "") -> dict[str, str]:
        """What tells Imagemill of it."""
        return {
            "blobs_url": f"s3://{self.bucket}/{prefix}",
            "s3_endpoint_url": self.url,
            "s3_region": REGION,
            "s3_access_key_id": ACCESS_KEY,
            "s3_secret_access_key": SECRET_KEY,
        }


@contextmanager
def s3_server(bucket: str = "mill") -> Iterator[S3Server]:
    """A server with a bucket, on a port of its own."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
        )
        client.create_bucket(Bucket=bucket)
        yield S3Server(url, bucket)
    finally:
        server.stop()
