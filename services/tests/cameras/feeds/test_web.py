"""Cameras over HTTP, real sockets."""

from itertools import islice
from threading import Event

import pytest

from cameras.feeds.webcam import PASSWORD, USER, picture
from imagemill.cameras.feeds import (
    Credentials,
    FeedError,
    FeedPolicy,
    FeedRefusedError,
    first_frame,
    from_address,
    grabs,
)
from imagemill.cameras.feeds.web import PictureClient, is_stream

RIGHT, WRONG = Credentials(USER, PASSWORD), Credentials(USER, "hunter2hunter2")


def spec(webcam, path, credentials=None, **options):
    options = {"read_timeout_seconds": 60.0} | options
    return from_address(f"http://127.0.0.1:{webcam.server_port}/{path}", credentials, **options)


def some(count, *args):
    return list(islice(grabs(*args, Event()), count))


def test_snapshots_are_asked_for_at_the_wanted_rate_and_passed_on_as_they_are(webcam, policy):
    taken = some(3, spec(webcam, "snapshot", frames_per_second=20), policy)
    assert [grab.data for grab in taken] == [picture(1), picture(2), picture(3)]
    assert taken[2].position_seconds >= 0.09  # two pauses after the stream's begin, however late the first one came
    assert webcam.asked[0][2] == f"127.0.0.1:{webcam.server_port}"


@pytest.mark.parametrize("lengths", [True, False])
def test_of_an_mjpeg_stream_the_wanted_frames_are_taken_and_the_rest_dropped(webcam, policy, lengths):
    webcam.behaviour |= {"lengths": lengths, "pause": 0.01}
    taken = some(3, spec(webcam, "mjpeg", frames_per_second=10), policy)
    assert taken[0].data == picture(0)
    assert len({grab.data for grab in taken}) == 3
    # One that came late may be followed by one in time; no three are closer than an interval.
    assert taken[2].position_seconds - taken[0].position_seconds >= 0.09
    assert len(webcam.asked) == 1


@pytest.mark.parametrize("auth", ["Basic", "Digest"])
def test_logins(webcam, policy, auth):
    webcam.behaviour["auth"] = auth
    assert len(some(3, spec(webcam, "snapshot?size=1", RIGHT, frames_per_second=30), policy)) == 3
    sent = [authorization for _, authorization, _ in webcam.asked]
    assert sent[0] is None
    assert all(header.startswith(auth) for header in sent[1:])
    assert len(sent) == 4  # a challenge is answered once, not before every picture
    if auth == "Digest":
        assert not any("Basic" in header for header in sent[1:])


@pytest.mark.parametrize("auth", ["Basic", "Digest"])
@pytest.mark.parametrize("credentials", [None, WRONG])
def test_a_refused_login_is_said_without_the_password(webcam, policy, auth, credentials):
    webcam.behaviour["auth"] = auth
    with pytest.raises(FeedError, match="refused the user or the password") as refused:
        first_frame(spec(webcam, "snapshot", credentials), policy)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_redirects_stay_within_the_camera(webcam, policy):
    webcam.behaviour["to"] = "/snapshot"
    assert first_frame(spec(webcam, "moved"), policy).data == picture(2)
    webcam.behaviour["to"] = f"http://127.0.0.1:{webcam.server_port}/snapshot"
    assert first_frame(spec(webcam, "moved"), policy)


@pytest.mark.parametrize(
    "there", ["http://169.254.169.254/", "//evil.test/x", "https://127.0.0.1/", "file:///etc/passwd"]
)
def test_redirects_to_elsewhere_are_not_followed(webcam, policy, there):
    webcam.behaviour["to"] = there
    with pytest.raises(FeedRefusedError, match="redirects to another address"):
        first_frame(spec(webcam, "moved"), policy)


def test_redirects_without_end_are_given_up(webcam, policy):
    webcam.behaviour["to"] = "/moved"
    with pytest.raises(FeedError, match="redirects more than 3 times"):
        first_frame(spec(webcam, "moved"), policy)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("page", "is the address that of a web page"),
        ("nothing", "has nothing at /nothing"),
        ("huge", "of more than"),
    ],
)
def test_what_is_no_picture_is_said(webcam, policy, path, sentence):
    with pytest.raises(FeedError, match=sentence):
        first_frame(spec(webcam, path), policy)


def test_a_camera_that_drips_bytes_is_given_up(webcam, policy):
    with pytest.raises(FeedError, match=r"no whole picture came within 3 s"):
        first_frame(spec(webcam, "drip", read_timeout_seconds=3.0), policy)


def test_a_stream_that_hangs_or_ends_fails(webcam, policy):
    webcam.behaviour |= {"count": 3, "hang": 20}
    with pytest.raises(FeedError, match=r"connection to .* was lost"):
        some(100, spec(webcam, "mjpeg", read_timeout_seconds=3.0, frames_per_second=30), policy)
    webcam.behaviour |= {"hang": 0}
    with pytest.raises(FeedError, match="ended"):
        some(100, spec(webcam, "mjpeg", frames_per_second=30), policy)


def test_nobody_there_is_said_with_the_host(policy):
    with pytest.raises(FeedError, match=r"127\.0\.0\.1 cannot be reached"):
        first_frame(from_address("http://127.0.0.1:9/snapshot"), policy)


def test_loopback_is_refused_where_the_settings_do_not_allow_it(webcam):
    with pytest.raises(FeedRefusedError, match="loopback is off"):
        first_frame(spec(webcam, "snapshot"), FeedPolicy())
    assert webcam.asked == []


def test_the_address_that_was_checked_is_connected_to_whatever_the_name_says_later(webcam):
    from imagemill.cameras.feeds.policy import check_url

    target = check_url(
        f"http://cam.example:{webcam.server_port}/snapshot", FeedPolicy(loopback=True), lambda host, port: ["127.0.0.1"]
    )
    client = PictureClient(target, spec(webcam, "snapshot"))
    client.open().close()
    client.close()
    assert webcam.asked[0][2] == f"cam.example:{webcam.server_port}"


def test_streams_are_known_by_their_content_type():
    assert is_stream("multipart/x-mixed-replace; boundary=x")
    assert not is_stream("image/jpeg")
