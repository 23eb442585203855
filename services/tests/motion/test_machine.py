"""Whatever is seen: events of one source begin, go on and end in turn, and never overlap."""

from hypothesis import given
from hypothesis import strategies as st

from imagemill.domain.events import Region
from imagemill.motion import Frame, MotionSettings
from imagemill.motion.detector import Observation
from imagemill.motion.machine import EventMachine, Moment
from motion.scenes import GROUND_FRAMES

REGION = Region(x=0.2, y=0.2, width=0.1, height=0.3, area=0.02, score=0.8)
DATA = GROUND_FRAMES[0].data
VERDICTS = st.sampled_from(["quiet", "quiet", "motion", "motion", "lighting", "shake", "glitch", "scene", "frozen"])


def moments(verdicts, gaps):
    at = 0.0
    for index, (verdict, gap) in enumerate(zip(verdicts, gaps, strict=True)):
        at += gap
        regions = (REGION,) if verdict == "motion" else ()
        observation = Observation("quiet" if verdict == "frozen" else verdict, regions)
        yield Moment(Frame(at, b"", index), observation, verdict == "frozen", at)


@given(st.data())
def test_events_never_overlap_and_every_one_ends_once(data):
    verdicts = data.draw(st.lists(VERDICTS, max_size=80))
    gaps = data.draw(st.lists(st.floats(0.1, 20), min_size=len(verdicts), max_size=len(verdicts)))
    machine = EventMachine("yard", MotionSettings(quiet_seconds=10, longest_seconds=40))
    changes = [step for moment in moments(verdicts, gaps) for step in machine.step(moment)]
    changes += machine.end("silence", sum(gaps))
    told = [step for step in changes if step.change != "update"]
    assert [step.change for step in told] == ["new", "end"] * (len(told) // 2)
    for new, end in zip(told[::2], told[1::2], strict=True):
        assert new.event.id == end.event.id
        assert new.event.started_at <= new.event.last_at <= end.event.ended_at
    for end, new in zip(told[1::2], told[2::2], strict=False):
        assert end.event.ended_at < new.event.started_at
    assert len({step.event.id for step in told}) == len(told) // 2


@given(st.lists(VERDICTS, min_size=1, max_size=40))
def test_the_frame_before_an_event_shows_nothing_of_it(verdicts):
    machine = EventMachine("yard", MotionSettings())
    seen = {}
    for moment in moments(verdicts, [1.0] * len(verdicts)):
        name = str(moment.frame.sequence).encode()
        seen[name] = moment
        step = machine.step(Moment(Frame(moment.frame.at, name), moment.observation, moment.frozen, moment.steady))
        for change in step:
            if change.change == "new" and "before.jpg" in change.pictures:
                before = seen[change.pictures["before.jpg"]]
                assert before.frame.at < change.event.started_at
                assert before.observation.verdict != "glitch"
