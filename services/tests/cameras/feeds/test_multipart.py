"""Pictures out of MJPEG streams, however they are cut and framed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameras.feeds.webcam import picture
from imagemill.cameras.feeds import FeedError
from imagemill.cameras.feeds.multipart import JpegSplitter
from imagemill.cameras.feeds.spec import MAX_FRAME_BYTES

PICTURES = [picture(number) for number in range(5)]


def stream(lengths, newline=b"\r\n"):
    made = b"preamble" + newline
    for data in PICTURES:
        length = b"Content-Length: " + str(len(data)).encode() + newline if lengths else b""
        made += b"--frame" + newline + b"Content-Type: image/jpeg" + newline + length + newline + data + b"\r\n"
    return made + b"--frame--\r\n"


@given(lengths=st.booleans(), cuts=st.lists(st.integers(1, 900), min_size=1), newline=st.sampled_from([b"\r\n", b"\n"]))
def test_whole_pictures_come_out_however_the_stream_is_cut(lengths, cuts, newline):
    splitter, found, rest = JpegSplitter(), [], stream(lengths, newline)
    turn = 0
    while rest:
        size = cuts[turn % len(cuts)]
        found += splitter.feed(rest[:size])
        rest, turn = rest[size:], turn + 1
    assert found == PICTURES


def test_an_end_marker_inside_a_picture_does_not_cut_it():
    inner = PICTURES[0][:-2] + b"\xff\xd9" + b"thumbnail" + PICTURES[0][-2:]
    assert JpegSplitter().feed(b"--x\r\n\r\n" + inner + b"\r\n--x\r\n") == [inner]


def test_a_stream_without_pictures_is_refused():
    with pytest.raises(FeedError, match="without a JPEG picture"):
        JpegSplitter().feed(b"<html>" * 5000)


@pytest.mark.parametrize("length", [True, False])
def test_a_picture_without_end_is_refused(length):
    splitter = JpegSplitter()
    header = b"Content-Length: 99999999999\r\n" if length else b""
    sent = b"--x\r\n" + header + b"\r\n\xff\xd8\xff" + bytes(MAX_FRAME_BYTES)
    with pytest.raises(FeedError, match="picture of more than"):
        splitter.feed(sent)
