"""A real RTSP server."""

import itertools
import socket
import threading
import time

import numpy as np
import pytest

from cameras.feeds.test_feed import eventually
from cameras.feeds.videos import SHORT_MOTIONS, short_yard_video
from imagemill.cameras.feeds import (
    Credentials,
    FeedError,
    FeedPolicy,
    FeedRefusedError,
    first_frame,
    from_address,
    grabs,
    open_feed,
)
from imagemill.cameras.feeds.rtsp_probe import parse_status
from imagemill.motion import Frame, MotionSettings, SourceAnalyzer
from motion.scenes import START, summary

USER, PASSWORD = "viewer", "p@ss/w:rd hunter2"
RIGHT, WRONG = Credentials(USER, PASSWORD), Credentials(USER, "hunter2hunter2")


def spec(server, path="cam", credentials=None, **options):
    return from_address(f"rtsp://{server}/{path}", credentials, **options)


def test_frames_come_at_the_wanted_rate(rtsp_server, policy):
    taken = list(itertools.islice(grabs(spec(rtsp_server(), frames_per_second=5.0), policy, threading.Event()), 8))
    positions = [grab.position_seconds for grab in taken]
    # One that came late may be followed by one in time; no three are closer than an interval.
    assert all(later - sooner > 0.18 for sooner, later in zip(positions, positions[2:], strict=False))
    assert positions[-1] - positions[0] == pytest.approx(0.2 * 7, abs=0.25)


def test_a_login_with_any_characters_and_no_trace_of_it(rtsp_server, policy, capfd):
    server = rtsp_server("-", USER, PASSWORD)
    assert first_frame(spec(server, credentials=RIGHT), policy).data.startswith(b"\xff\xd8")
    for credentials, sentence in ((WRONG, "wrong path, user or password"), (None, "asks for a user and a password")):
        with pytest.raises(FeedError, match=sentence) as refused:
            first_frame(spec(server, credentials=credentials), policy)
        assert "hunter2" not in str(refused.value)
    told = capfd.readouterr()
    assert "hunter2" not in told.out + told.err


def test_a_path_without_a_stream_is_said(rtsp_server, policy):
    with pytest.raises(FeedError, match="has no stream at /door"):
        first_frame(spec(rtsp_server(), "door"), policy)


def test_a_server_that_dies_is_offline_and_read_again_when_it_is_back(rtsp_server, policy):
    server = rtsp_server()
    feed = open_feed(spec(server, stall_seconds=1.0, read_timeout_seconds=5.0), policy)
    assert feed.next(60)
    rtsp_server.running[0].kill()
    eventually(lambda: feed.status().state == "offline")
    eventually(lambda: "cannot be reached" in feed.status().problem)
    assert feed.close(60)


def answering(text):
    """A server that answers everything with this text, once."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, listener.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(text)

    threading.Thread(target=serve, daemon=True).start()
    return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        (b"RTSP/1.0 302 Found\r\nLocation: rtsp://10.0.0.1/\r\n\r\n", FeedRefusedError, "redirects to another address"),
        (b"RTSP/1.0 503 Busy\r\n\r\n", FeedError, "does not give the stream"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", FeedError, "not RTSP; is the port that of another service"),
        (b"", FeedError, "not RTSP"),
    ],
)
def test_other_answers_are_said_before_anything_is_opened(policy, answer, error, sentence):
    with pytest.raises(error, match=sentence):
        first_frame(spec(answering(answer)), policy)


def test_a_server_that_does_not_answer_is_given_up_in_time(policy):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(FeedError, match=r"did not answer within 0\.5 s"):
            first_frame(spec(server, open_timeout_seconds=0.5), policy)
        assert time.monotonic() - began < 30


def test_nobody_there_is_said(policy):
    with pytest.raises(FeedError, match=r"cannot be reached at port 9$"):
        first_frame(spec("127.0.0.1:9"), policy)


def test_loopback_is_refused_where_the_settings_do_not_allow_it():
    with pytest.raises(FeedRefusedError, match="loopback is off"):
        first_frame(spec("127.0.0.1:9"), FeedPolicy())


def test_status_lines():
    assert parse_status(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n") == 200
    with pytest.raises(FeedError):
        parse_status(b"RTSP/1.0 2x0 OK\r\n")


def to_its_end(stream):
    try:
        yield from stream
    except FeedError as error:
        assert "ended" in str(error)  # noqa: PT017 - what was seen before it is wanted too


def test_a_motion_in_a_real_stream_is_exactly_one_event(rtsp_server, policy, tmp_path):
    """Two walks and a lamp, coded by H.264 on the way; every frame is seen, at the stream's own time."""
    video = short_yard_video(tmp_path / "yard.avi", np.random.default_rng(5))
    stream = grabs(spec(rtsp_server(video), frames_per_second=4.0), policy, threading.Event())
    analyzer = SourceAnalyzer("yard", MotionSettings(interval_seconds=0.25, quiet_seconds=2.5))
    changes = []
    for sequence, grab in enumerate(to_its_end(stream)):
        changes += analyzer.see(Frame(START + grab.position_seconds, grab.data, sequence))
    changes += analyzer.tick(analyzer.ordering.at + 60)
    assert summary(changes) == [("new", "motion"), ("end", "motion")] * len(SHORT_MOTIONS)
