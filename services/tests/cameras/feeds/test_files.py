"""Video files and folders of pictures."""

import shutil
import time
from dataclasses import replace
from threading import Event

import cv2
import numpy as np
import pytest

from cameras.feeds.videos import tiny_video
from cameras.feeds.webcam import picture
from imagemill.cameras.feeds import FeedError, FeedRefusedError, first_frame, from_address, grabs


def once(path, policy, **options):
    spec = replace(from_address(str(path), loop=False, paced=False), **options)
    return list(grabs(spec, policy, Event(), began_at=1000.0))


def brightness(grab):
    return round(float(cv2.imdecode(np.frombuffer(grab.data, np.uint8), 0).mean()))


@pytest.mark.parametrize("name", ["a.avi", "a.mp4"])
@pytest.mark.parametrize(("rate", "count"), [(1.0, 5), (0.5, 3), (5.0, 25)])
def test_a_video_gives_its_frames_at_the_wanted_rate_by_its_own_clock(tmp_path, policy, name, rate, count):
    taken = once(tiny_video(tmp_path / name, 5), policy, frames_per_second=rate)
    assert [grab.position_seconds for grab in taken] == pytest.approx([n / rate for n in range(count)], abs=0.11)
    assert [grab.at for grab in taken] == [1000.0 + grab.position_seconds for grab in taken]
    if rate == 1.0:
        assert len({brightness(grab) for grab in taken}) == 5


def test_a_video_in_a_loop_begins_again_with_times_that_go_on(tmp_path, policy):
    spec = from_address(str(tiny_video(tmp_path / "a.avi", 3)), paced=False)
    stop, taken = Event(), []
    for grab in grabs(spec, policy, stop, began_at=0.0):
        taken.append(grab)
        if len(taken) == 8:
            stop.set()
            break
    assert [grab.at for grab in taken] == pytest.approx([float(n) for n in range(8)], abs=0.05)
    assert brightness(taken[3]) == brightness(taken[0])


def test_a_video_is_played_at_its_own_speed(tmp_path, policy):
    spec = from_address(str(tiny_video(tmp_path / "a.avi", 1)), loop=False, frames_per_second=10.0)
    began = time.monotonic()
    assert len(list(grabs(spec, policy, Event()))) == 10
    assert 0.85 <= time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.avi", b""),
        ("text.mp4", b"this is no video" * 100),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{video}\n#EXT-X-ENDLIST\n"),
        ("list.txt", b"ffconcat version 1.0\nfile '{video}'\n"),
        ("list.mpd", b"<?xml version='1.0'?><MPD><Period><AdaptationSet><Representation><BaseURL>{video}"),
        ("image.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"),
    ],
)
def test_files_that_are_no_videos_or_that_lead_elsewhere_are_refused(tmp_path, policy, name, content):
    video = tiny_video(tmp_path / "a.avi", 1)
    path = tmp_path / name
    path.write_bytes(content.replace(b"{video}", str(video).encode()))
    with pytest.raises(FeedError, match=f"{name} is not a video that can be read|has no picture"):
        once(path, policy, open_timeout_seconds=2.0, read_timeout_seconds=1.0)


def test_a_truncated_video_gives_what_it_has(tmp_path, policy):
    whole = tiny_video(tmp_path / "a.avi", 5)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 1 <= len(once(cut, policy)) < 5


def test_a_folder_gives_its_pictures_in_order_as_they_are(tmp_path, policy):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (3, 1, 2):
        (folder / f"{number:02}.JPG").write_bytes(picture(number))
    (folder / "notes.txt").write_text("x")
    (folder / "fake.jpg").write_text("not a picture")
    (folder / "link.jpg").symlink_to("/etc/hostname")
    taken = once(folder, policy, frames_per_second=2.0)
    assert [grab.data for grab in taken] == [picture(1), picture(2), picture(3)]
    assert [grab.at for grab in taken] == [1000.0, 1000.5, 1001.0]


def test_a_folder_that_goes_away_while_it_is_read_is_said(tmp_path, policy):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(picture(1))
    taken = grabs(from_address(str(folder), paced=False), policy, Event())
    assert next(taken).data == picture(1)
    shutil.rmtree(folder)
    with pytest.raises(FeedError, match="pictures does not exist any more"):
        next(taken)


def test_an_empty_folder_is_said(tmp_path, policy):
    with pytest.raises(FeedError, match=r"no pictures in it; known endings are .*\.jpg"):
        once(tmp_path, policy)


def test_a_file_outside_the_folders_is_refused(policy):
    with pytest.raises(FeedRefusedError, match="not in a folder that may be read"):
        first_frame(from_address("/etc/hostname"), policy)
