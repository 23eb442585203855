"""Credentials never appear: not in a repr, not in a message, not in an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.cameras.feeds import Credentials, from_address, without_credentials
from imagemill.cameras.feeds.grabs import Grab
from imagemill.domain.redact import redact

PASSWORD = "s3cr3t/p@ss:word"


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:hunter2hunter2@cam/live",
        "cannot open rtsp://admin:hunter2@hunter2@cam/live now",
        "rtsp://hunter2hunter2:x@cam",
        "http://cam/snap.cgi?usr=admin&pwd=hunter2hunter2&res=1",
        "http://cam/snap?user=x;PASSWORD=hunter2hunter2",
        "https://cam/x?access_token=hunter2hunter2",
        "https://cam/x?a=1&X-Amz-Signature=hunter2hunter2",
        "Authorization: Basic hunter2hunter2",
    ],
)
def test_secrets_in_addresses_are_hidden(text):
    hidden = redact(text)
    assert "hunter2" not in hidden
    assert "***" in hidden


def test_what_is_no_secret_stays():
    for text in ("http://cam:8080/snap.cgi?channel=1", "the stream ended", "rtsp://cam/live"):
        assert redact(text) == text


def test_given_credentials_are_hidden_in_every_form():
    credentials = Credentials("admin", PASSWORD)
    for form in (PASSWORD, "s3cr3t%2Fp%40ss%3Aword", "s3cr3t/p%40ss%3Aword"):
        assert "s3cr3t" not in redact(f"failed: {form}!", credentials.password)


def test_an_address_is_taken_apart_before_it_is_kept():
    spec = from_address("rtsp://admin:s3cr3t%2Fp%40ss%3Aword@cam:554/live")
    assert spec.address == "rtsp://cam:554/live"
    assert spec.credentials == Credentials("admin", PASSWORD)
    assert "s3cr3t" not in repr(spec) + str(spec)
    assert "admin" not in repr(spec)


def test_a_spec_does_not_take_an_address_with_a_password():
    with pytest.raises(ValueError, match="must not hold a user or a password") as refused:
        type(from_address("rtsp://cam/"))("rtsp://admin:hunter2@cam/", "rtsp")
    assert "hunter2" not in str(refused.value)


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=8, max_size=20))
def test_any_password_in_a_url_is_hidden(password):
    from urllib.parse import quote

    secret = "s3cr3t" + password
    url = f"rtsp://u:{quote(secret, safe='')}@cam.example/live"
    assert "s3cr3t" not in redact(f"open {url} failed")
    assert without_credentials(url)[1].password == secret


def test_frames_are_not_printed():
    assert repr(Grab(1.0, b"secret picture", 0.0)) == "Grab(at=1.0, 14 bytes, position_seconds=0.0)"
