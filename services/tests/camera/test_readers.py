"""Readers as processes: frames come, a reader that dies is replaced, and one that is added gets its share."""

import itertools
import signal
import time
from collections.abc import Callable

from camera.conftest import LEASE_SECONDS, LONG_LEASE_SECONDS, Eyes
from imagemill.domain.cameras import Camera
from imagemill.settings import Settings
from imagemill.store.camera_leases import ReadingStates
from imagemill.store.cameras import Cameras
from mill import Mill, wait_for

Add = Callable[..., Camera]
ALL = ("yard", "door", "gate", "roof")


def holders(states: ReadingStates) -> dict[str, str | None]:
    return {camera: lease.holder for camera, lease in states.view().leases.items()}


def counts(states: ReadingStates) -> list[int]:
    held = [holder for holder in holders(states).values() if holder]
    return sorted(held.count(reader) for reader in set(held))


def reader_of(states: ReadingStates, camera: str) -> str:
    """The program's name (`camera:1`) from the holder's (`camera-1-5ab2…`)."""
    return str(holders(states)[camera]).rpartition("-")[0].replace("-", ":")


def test_frames_come_at_their_rate_numbered_and_with_a_generation(mill: Mill, add: Add, eyes: Eyes) -> None:
    add("yard")
    mill.start("camera", camera_lease_seconds=LONG_LEASE_SECONDS)
    frames = wait_for(lambda: (found := eyes.of("yard"))[10:] and found, "ten frames")
    assert {frame.generation for frame in frames} == {frames[0].generation}
    assert frames[0].data.startswith(b"\xff\xd8")
    # A reader on a busy machine leaves frames out, and their numbers with them.
    steps = [(b.sequence - a.sequence, b.at - a.at) for a, b in itertools.pairwise(frames)]
    assert all(number >= 1 for number, _ in steps)
    gaps = [seconds / number for number, seconds in steps]
    assert 0.15 < sorted(gaps)[len(gaps) // 2] < 0.3
    assert mill.stop("camera") == 0


def test_two_readers_share_and_one_that_is_killed_is_replaced(
    mill: Mill, add: Add, eyes: Eyes, states: ReadingStates
) -> None:
    for name in ALL:
        add(name)
    usual = Settings().camera_lease_seconds
    mill.start("camera:1", "camera:2", camera_lease_seconds=usual)
    wait_for(lambda: counts(states) == [2, 2], "two cameras each")
    wait_for(lambda: all(eyes.of(name) for name in ALL), "frames of all")
    before = holders(states)
    mill.kill("camera:1")
    killed = time.time()
    lost = [camera for camera, holder in before.items() if str(holder).startswith("camera-1")]
    assert len(lost) == 2
    wait_for(lambda: all(eyes.of(name)[-1].at > killed + 0.5 for name in lost), "their frames go on")
    assert counts(states) == [4]
    for name in lost:
        assert_never_two_at_once(eyes, name)


def test_a_reader_that_hangs_and_comes_back_sends_nothing_of_what_others_took(
    mill: Mill, add: Add, eyes: Eyes, states: ReadingStates
) -> None:
    add("yard")
    mill.start("camera:1", "camera:2")
    wait_for(lambda: eyes.of("yard"), "frames")
    first = reader_of(states, "yard")
    mill.signal(first, signal.SIGSTOP)
    wait_for(lambda: reader_of(states, "yard") != first, "the other reader")
    mill.signal(first, signal.SIGCONT)
    wait_for(lambda: len({frame.generation for frame in eyes.of("yard")}) > 1, "frames of the other")
    seen = len(eyes.of("yard"))
    wait_for(lambda: len(eyes.of("yard")) > seen + 15, "many more frames")
    assert_never_two_at_once(eyes, "yard")


def assert_never_two_at_once(eyes: Eyes, source: str) -> None:
    """Frames of an older generation end at most a lease's time after those of a newer have begun."""
    frames = eyes.of(source)
    for generation in {frame.generation for frame in frames}:
        newer = [frame.at for frame in frames if frame.generation > generation]
        last = max(frame.at for frame in frames if frame.generation == generation)
        assert not newer or last - min(newer) < LEASE_SECONDS


def test_a_reader_that_is_added_gets_its_share_and_one_that_stops_leaves_at_once(
    mill: Mill, add: Add, eyes: Eyes, states: ReadingStates
) -> None:
    for name in ALL:
        add(name)
    mill.start("camera:1", camera_lease_seconds=LONG_LEASE_SECONDS)
    wait_for(lambda: counts(states) == [4], "one reader with all")
    wait_for(lambda: all(eyes.of(name) for name in ALL), "frames of all")
    mill.start("camera:2", camera_lease_seconds=LONG_LEASE_SECONDS)
    wait_for(lambda: counts(states) == [2, 2], "a fair share")
    moved = [name for name in ALL if reader_of(states, name) == "camera:2"]
    wait_for(lambda: all(eyes.of(name)[-1].generation > eyes.of(name)[0].generation for name in moved), "their frames")
    assert mill.stop("camera:1") == 0
    assert len(states.view().readers) == 1
    wait_for(lambda: counts(states) == [4], "all with the other")


def test_capacity_is_a_bound_and_what_nobody_reads_is_said(
    mill: Mill, add: Add, eyes: Eyes, states: ReadingStates
) -> None:
    for name in ALL:
        add(name)
    mill.start("camera", camera_capacity=3)
    lease = wait_for(lambda: states.view().leases.get("yard"), "the one that is left")
    assert (lease.holder, lease.state) == (None, "unassigned")
    assert "every reader is full" in str(lease.problem)
    wait_for(lambda: counts(states) == [3], "three that are read")
    told = wait_for(lambda: eyes.news, "an event, for nobody looks at it")
    assert (told[0].event.source, told[0].event.kind, told[0].change) == ("yard", "offline", "new")


def test_a_changed_camera_is_read_anew_and_a_removed_one_no_more(
    mill: Mill, add: Add, known: Cameras, eyes: Eyes, states: ReadingStates
) -> None:
    yard = add("yard")
    mill.start("camera", camera_lease_seconds=LONG_LEASE_SECONDS)
    first = wait_for(lambda: eyes.of("yard"), "frames")[0]
    changed = known.put(
        Camera(id="yard", name="The yard", address="door", frames_per_second=20.0, revision=yard.revision)
    )
    wait_for(lambda: eyes.of("yard")[-1].generation > first.generation, "frames of the other address")
    assert first.data not in [frame.data for frame in eyes.of("yard") if frame.generation > first.generation]
    known.remove(changed)
    wait_for(lambda: not states.view().leases, "its lease to go")
    gone = time.time()
    assert mill.stop("camera") == 0
    assert [frame for frame in eyes.of("yard") if frame.at > gone] == []
