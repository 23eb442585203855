"""Programs speak TLS with broker and database, and only with those for whom the authority vouches."""

import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pika
import pytest

from imagemill.store.couch import Couch, StoreUnavailable
from imagemill.wire.broker import parameters_of
from imagemill.wire.broker.advice import advice
from mill import Mill
from pipeline.test_upload import unique_jpeg
from tls_servers import Authority, TlsRabbit, tls_front


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRabbit]:
    server = TlsRabbit(tmp_path_factory.mktemp("tls-rabbitmq"), authority)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def database_url(couchdb_url: str, authority: Authority) -> Iterator[str]:
    with tls_front(couchdb_url, authority) as url:
        yield url


def test_a_picture_is_worked_on_through_tls_alone(
    new_mill: Callable[..., Mill], broker: TlsRabbit, authority: Authority, database_url: str, couchdb_prefix: str
) -> None:
    mill = new_mill(broker.tls_url, database_url, couchdb_prefix.rstrip("-"), tls_ca_file=authority.ca_file)
    mill.start("writer", "api", "worker")
    (image_id,) = mill.accepted(unique_jpeg())
    assert mill.ended(image_id)["status"] == "stored"


def test_a_broker_for_whom_nobody_vouches_is_not_spoken_to(broker: TlsRabbit, tmp_path: Path) -> None:
    for ca_file in (Authority(tmp_path).ca_file, None):
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            pika.BlockingConnection(parameters_of(broker.tls_url, "test", ca_file))
        assert "IMAGEMILL_TLS_CA_FILE" in str(advice(repr(refused.value)))


def test_a_certificate_of_another_name_does_not_count(
    broker: TlsRabbit, authority: Authority, database_url: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        pika.BlockingConnection(
            parameters_of(broker.tls_url.replace("localhost", "127.0.0.1"), "test", authority.ca_file)
        )
    Couch(database_url, "mill", ca_file=authority.ca_file).ping()
    with pytest.raises(StoreUnavailable):
        Couch(database_url.replace("localhost", "127.0.0.1"), "mill", ca_file=authority.ca_file).ping()


def test_a_database_for_which_nobody_vouches_is_not_spoken_to(database_url: str, tmp_path: Path) -> None:
    for ca_file in (Authority(tmp_path).ca_file, None):
        with pytest.raises(StoreUnavailable, match="SSLError"):
            Couch(database_url, "mill", ca_file=ca_file).ping()


def test_the_operator_believes_the_authority_of_its_environment(broker: TlsRabbit, authority: Authority) -> None:
    look = (
        "import sys; from imagemill_operator.live import LiveDepth; "
        "print(LiveDepth(sys.argv[1], 20).look([('/', 'none')]))"
    )

    def looked(**environment: str) -> str:
        command = [sys.executable, "-c", look, broker.tls_url]
        return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True).stdout

    assert "CERTIFICATE_VERIFY_FAILED" in looked()
    assert "CERTIFICATE_VERIFY_FAILED" not in looked(SSL_CERT_FILE=str(authority.ca_file))
    assert "does not answer" not in looked(SSL_CERT_FILE=str(authority.ca_file))
