"""Questions to other programs, and for how long somebody waits for the answers."""

import threading
import time
from dataclasses import dataclass

import pytest

from imagemill.api.live import questions
from imagemill.api.live.questions import Questions, everybody
from imagemill.api.web.problems import Problem


@dataclass(frozen=True)
class Said:
    id: str
    has_begun: bool = False


def test_the_last_answer_that_came_in_time_counts() -> None:
    asked = Questions[Said](everybody)

    def answer(*replies: Said) -> None:
        for reply in replies:
            asked.arrived(reply)

    assert asked.ask("a", lambda: answer(Said("a", has_begun=True), Said("a")), 1, 1) == Said("a")
    assert asked.ask("a", lambda: answer(Said("a")), 1, 1) == Said("a")
    assert asked.ask("a", lambda: answer(Said("a", has_begun=True)), 1, 0.05) == Said("a", has_begun=True)
    assert asked.ask("a", lambda: answer(Said("b")), 0.05, 1) is None
    asked.arrived(Said("a"))  # nobody waits for it any more
    assert asked.ask("a", lambda: None, 0.05, 1) is None


@pytest.mark.parametrize("begun", [False, True])
def test_who_is_not_allowed_any_more_does_not_wait_on_nor_get_the_answer(
    begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "_LOOK_SECONDS", 0.02)
    allowed = threading.Event()
    allowed.set()
    asked = Questions[Said](lambda: allowed.is_set)
    timer = threading.Timer(0.1, allowed.clear)
    began = time.monotonic()
    timer.start()
    with pytest.raises(Problem, match="was revoked") as error:
        asked.ask("a", lambda: asked.arrived(Said("a", has_begun=True)) if begun else None, 60, 60)
    assert error.value.status == 401
    assert time.monotonic() - began < 10

    def answer_too_late() -> None:
        asked.arrived(Said("a"))

    with pytest.raises(Problem, match="was revoked"):
        asked.ask("a", answer_too_late, 60, 60)
