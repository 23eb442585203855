"""Secrets that say where a broker is."""

import base64
import ssl

import pytest
import trustme

from imagemill_operator.broker_secret import BrokerSecret, SecretProblem, read_broker_secret


def secret(**texts: str) -> dict[str, object]:
    """Keys with an underscore in the place of what no keyword can hold."""
    names = {"amqp": "amqp-url", "management": "management-url", "metrics": "metrics-url"}
    names |= {"ca": "ca.crt", "cert": "tls.crt", "key": "tls.key"}
    return {"data": {names[name]: base64.b64encode(text.encode()).decode() for name, text in texts.items()}}


def read(**texts: str) -> BrokerSecret:
    return read_broker_secret(secret(**texts), "rabbit", 5.0)


def refused(**texts: str) -> SecretProblem:
    with pytest.raises(SecretProblem) as problem:
        read(**texts)
    return problem.value


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def pem(blob: trustme.Blob) -> str:
    return blob.bytes().decode()


def test_each_of_the_addresses_is_enough() -> None:
    assert read(amqp="amqp://u:p@rabbit:5672/jobs\n").amqp_url == "amqp://u:p@rabbit:5672/jobs"
    assert read(management="https://u:p@rabbit:15671/").management_url == "https://u:p@rabbit:15671"
    assert read(metrics="http://a:15692, http://b:15692/").broker_metrics_urls == ("http://a:15692", "http://b:15692")


def test_without_certificates_the_system_is_believed() -> None:
    assert read(amqp="amqps://u:p@rabbit/").tls is None


def test_an_authority_is_believed_and_no_other(authority: trustme.CA) -> None:
    context = read(amqp="amqps://u:p@rabbit/", ca=pem(authority.cert_pem)).tls
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1


def test_a_certificate_is_shown_without_being_written_to_a_disk(authority: trustme.CA) -> None:
    own = authority.issue_cert("operator")
    context = read(amqp="amqps://u:p@rabbit/", cert=pem(own.cert_chain_pems[0]), key=pem(own.private_key_pem)).tls
    assert context is not None


@pytest.mark.parametrize(
    ("texts", "reason", "words"),
    [
        ({}, "AddressMissing", "none of the keys amqp-url, management-url, metrics-url"),
        ({"ca": "x"}, "AddressMissing", "none of the keys"),
        ({"amqp": "rabbit:5672"}, "AddressInvalid", "amqp-url of Secret rabbit"),
        ({"amqp": "http://u:hunter2@rabbit"}, "AddressInvalid", "amqp:// or amqps://"),
        ({"amqp": "amqp://u:hunter2@rabbit:port/"}, "AddressInvalid", "amqp-url"),
        ({"management": "amqp://u:hunter2@rabbit"}, "AddressInvalid", "http:// or https://"),
        ({"metrics": "http://ok:15692,hunter2"}, "AddressInvalid", "metrics-url"),
        ({"amqp": "amqps://u:hunter2@rabbit/", "ca": "hunter2"}, "CertificateInvalid", "is no PEM"),
        (
            {"amqp": "amqps://u:hunter2@rabbit/", "cert": "hunter2"},
            "CertificateInvalid",
            "only one of tls.crt and tls.key",
        ),
        ({"amqp": "amqps://u:p@rabbit/", "cert": "hunter2", "key": "hunter2"}, "CertificateInvalid", "is no PEM"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_secret_is(texts: dict[str, str], reason: str, words: str) -> None:
    problem = refused(**texts)
    assert problem.reason == reason
    assert words in problem.message
    assert "hunter2" not in problem.message


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(SecretProblem, match="no text"):
        read_broker_secret({"data": {"amqp-url": "not base64!"}}, "rabbit", 5.0)
    with pytest.raises(SecretProblem, match="none of the keys"):
        read_broker_secret({}, "rabbit", 5.0)


def test_nothing_of_it_is_shown() -> None:
    found = read(amqp="amqp://u:hun%2Fter2@rabbit/", management="http://u:other@rabbit:15672")
    assert "rabbit:" not in repr(found)
    assert found.passwords == {"hun%2Fter2", "hun/ter2", "other"}
