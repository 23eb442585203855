"""The signature as a receiver sees it, and the request."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.alerting.signature import SignatureError, sign, verify
from imagemill.alerting.webhook import AlertBody, build_request, canonical_json

SECRET, OTHER = b"0123456789abcdef0123", b"another secret of enough bytes"
ALERT = AlertBody(17, canonical_json({"number": 17, "camera": "yard", "text": "Motion – Tür"}))
NOW = 1_790_000_000


def request(secret=SECRET, at=NOW):
    return build_request("https://hooks.example/x/token", secret, ALERT, at)


def receiver(headers, body, secret, now):
    """What the documentation shows: ten lines that need nothing of this project."""
    timestamp = headers["Imagemill-Timestamp"]
    expected = "v1=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, headers["Imagemill-Signature"]):
        return 401
    return 200 if abs(now - int(timestamp)) <= 300 else 408


def test_a_receiver_of_ten_lines_accepts_it():
    made = request()
    assert receiver(made.headers, made.body, SECRET, NOW + 10) == 200
    assert receiver(made.headers, made.body + b" ", SECRET, NOW) == 401


def test_the_request_says_which_alert_and_repeats_its_body_but_not_its_signature():
    first, second = request(), request(at=NOW + 60)
    assert first.headers["Imagemill-Alert"] == "17"
    assert first.body == second.body == '{"camera":"yard","number":17,"text":"Motion – Tür"}'.encode()
    assert first.headers["Imagemill-Signature"] != second.headers["Imagemill-Signature"]
    assert "token" not in repr(first)
    assert first.headers["Imagemill-Signature"] not in repr(first)


def test_our_own_verification_accepts_what_was_signed_whatever_the_case_of_the_headers():
    made = request()
    verify([SECRET], {name.upper(): value for name, value in made.headers.items()}, made.body, NOW + 299)
    verify([OTHER, SECRET], made.headers, made.body, NOW - 299)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"Imagemill-Signature": "v1=" + "0" * 64}, "not of this body"),
        ({"Imagemill-Signature": ""}, "not of this body"),
        ({"Imagemill-Signature": "v1=ü"}, "not of this body"),
        ({"Imagemill-Timestamp": str(NOW + 1)}, "not of this body"),
        ({"Imagemill-Timestamp": "soon"}, "missing or no number"),
        ({"Imagemill-Timestamp": "-5"}, "missing or no number"),
        ({"Imagemill-Timestamp": "²"}, "missing or no number"),
    ],
)
def test_what_was_changed_is_refused(change, sentence):
    made = request()
    with pytest.raises(SignatureError, match=sentence):
        verify([SECRET], {**made.headers, **change}, made.body, NOW)


def test_missing_headers_another_secret_and_old_requests_are_refused():
    made = request()
    with pytest.raises(SignatureError, match="missing"):
        verify([SECRET], {}, made.body, NOW)
    with pytest.raises(SignatureError, match="known secret"):
        verify([OTHER], made.headers, made.body, NOW)
    with pytest.raises(SignatureError, match="301 s away from now"):
        verify([SECRET], made.headers, made.body, NOW + 301)


def test_a_secret_that_can_be_guessed_is_refused():
    with pytest.raises(ValueError, match="at least 16"):
        sign(b"hunter2", NOW, b"")


@given(body=st.binary(), other=st.binary(), at=st.integers(0, 2**33), later=st.integers(0, 2**33))
def test_another_body_or_time_has_another_signature(body, other, at, later):
    if (body, at) != (other, later):
        assert sign(SECRET, at, body) != sign(SECRET, later, other)
