"""When a request gets a thread: its head and the start of its body must be there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.api.serving.reception import BODY_START_BYTES, MAX_HEAD_BYTES, WHOLE_BODY_BYTES, Reception, Stage

MAX_BODY = 1 << 30
GET = b"GET / HTTP/1.1\r\nHost: mill\r\n\r\n"


def post(*headers: str) -> bytes:
    return "\r\n".join(["POST /image HTTP/1.1", "Host: mill", *headers, "", ""]).encode()


def stage(*pieces: bytes, has_memory: bool = True) -> Stage:
    reception = Reception(MAX_BODY)
    return [reception.feed(piece, has_memory) for piece in pieces][-1]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([GET], Stage.READY),
        ([GET[:-1]], Stage.HEAD),
        ([b"GET / HTTP/1.1\r\n", b"Host: mill\r\n"], Stage.HEAD),
        ([post("Content-Length: 0")], Stage.READY),
        ([post("content-length:10")], Stage.BODY),
        ([post("Content-Length: 10"), b"123456789"], Stage.BODY),
        ([post("Content-Length: 10"), b"123456789", b"0"], Stage.READY),
        ([post(f"Content-Length: {WHOLE_BODY_BYTES + 1}"), bytes(BODY_START_BYTES - 1)], Stage.BODY),
        ([post(f"Content-Length: {WHOLE_BODY_BYTES + 1}"), bytes(BODY_START_BYTES)], Stage.READY),
        ([post(f"Content-Length: {WHOLE_BODY_BYTES}"), bytes(WHOLE_BODY_BYTES - 1)], Stage.BODY),
        ([post(f"Content-Length: {WHOLE_BODY_BYTES}"), bytes(WHOLE_BODY_BYTES)], Stage.READY),
        ([post("Transfer-Encoding: chunked")], Stage.BODY),
        ([post("Transfer-Encoding: chunked"), b"3\r\nabc\r\n"], Stage.BODY),
        ([post("Transfer-Encoding: chunked"), b"3\r\nabc\r\n0\r\n\r\n"], Stage.READY),
        ([post("Transfer-Encoding: gzip, chunked"), b"0\r\nDigest: a\r\n\r\n"], Stage.READY),
        ([post("Transfer-Encoding: chunked"), bytes(BODY_START_BYTES)], Stage.READY),
        ([b"x" * MAX_HEAD_BYTES], Stage.TOO_LARGE),
    ],
)
def test_a_thread_is_asked_when_enough_is_there(pieces: list[bytes], expected: Stage) -> None:
    assert stage(*pieces) is expected


@pytest.mark.parametrize(("came", "expected"), [(BODY_START_BYTES - 1, Stage.BODY), (BODY_START_BYTES, Stage.READY)])
def test_without_memory_only_the_start_of_a_body_is_waited_for(came: int, expected: Stage) -> None:
    assert stage(post(f"Content-Length: {WHOLE_BODY_BYTES}"), bytes(came), has_memory=False) is expected


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([GET], True),
        ([post("Content-Length: 5"), b"12345"], True),
        ([post(f"Content-Length: {MAX_BODY + 1}")], True),  # refused unread
        ([post("Transfer-Encoding: chunked"), b"3\r\nabc\r\n0\r\n\r\n"], True),
        ([post("Content-Length: 5"), b"1234"], False),
        ([post(f"Content-Length: {MAX_BODY}"), bytes(BODY_START_BYTES)], False),
        ([post("Transfer-Encoding: chunked"), bytes(BODY_START_BYTES)], False),
    ],
)
def test_what_is_whole_keeps_no_thread_waiting(pieces: list[bytes], whole: bool) -> None:
    reception = Reception(MAX_BODY)
    for piece in pieces:
        reception.feed(piece)
    assert reception.is_whole is whole


def test_a_body_larger_than_any_may_be_is_not_waited_for_nor_asked_for() -> None:
    reception = Reception(MAX_BODY)
    assert reception.feed(post(f"Content-Length: {MAX_BODY + 1}", "Expect: 100-continue")) is Stage.READY
    assert not reception.expects_continue


@pytest.mark.parametrize(("length", "asked"), [(0, False), (1, True), (MAX_BODY, True)])
def test_who_asks_before_sending_is_answered_when_there_is_something_to_send(length: int, asked: bool) -> None:
    reception = Reception(MAX_BODY)
    reception.feed(post(f"Content-Length: {length}", "Expect: 100-continue"))
    assert reception.expects_continue is asked


@given(cuts=st.lists(st.integers(0, 200), max_size=8))
def test_how_bytes_are_cut_on_the_way_changes_nothing(cuts: list[int]) -> None:
    whole = post("Content-Length: 5") + b"12345"
    ends = sorted({min(cut, len(whole)) for cut in cuts} | {len(whole)})
    reception, began = Reception(MAX_BODY), 0
    for end in ends:
        found = reception.feed(whole[began:end])
        assert (found is Stage.READY) == (end == len(whole))
        began = end
    assert bytes(reception.data) == whole
