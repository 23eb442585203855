"""What breaks when, on an installation where nothing does."""

import random
import time
from collections.abc import Sequence

import pytest

from chaos.api import Api
from chaos.faults import Fault, break_everything


class QuietSite:
    """Notes what is asked of it."""

    api = Api("http://nobody")

    def __init__(self) -> None:
        self.done: list[str] = []

    def faults(self, chance: random.Random) -> Sequence[Fault]:
        name = chance.choice("abc")
        return [
            Fault(3, "kill", name, lambda: self.done.append(f"kill {name}")),
            Fault(1, "alarm", "", lambda: self.done.append("alarm")),
        ]

    def second(self, chance: random.Random) -> Fault:
        return Fault(1, "kill", "worker", lambda: self.done.append("kill worker"))

    def loss(self) -> Fault:
        return Fault(1, "loss", "", lambda: self.done.append("loss"))

    def start(self) -> None: ...

    def mend(self) -> None: ...

    def bytes_there(self, hashes: Sequence[str]) -> set[str]:
        return set()

    def verify(self) -> object:
        return None

    def close(self) -> None: ...


@pytest.fixture
def simulated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes when somebody sleeps."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))


def broken(seed: int) -> tuple[list[str], dict[str, int]]:
    site = QuietSite()
    counted = break_everything(site, random.Random(seed), time.monotonic() + 60, (1.0, 2.0))
    return site.done, dict(counted)


@pytest.mark.usefixtures("simulated_time")
def test_a_seed_is_one_order_of_faults() -> None:
    first, second, other = broken(1)[0], broken(1)[0], broken(2)[0]
    assert sorted(first) == sorted(second) != sorted(other)


@pytest.mark.usefixtures("simulated_time")
def test_everything_is_lost_once_and_programs_die_meanwhile() -> None:
    done, counted = broken(1)
    assert done.count("loss") == counted["loss"] == 1
    assert counted["kill meanwhile"] > 0
    assert counted["kill"] > counted["alarm"] > 0
    assert len(done) == sum(counted.values())


@pytest.mark.usefixtures("simulated_time")
def test_a_fault_that_cannot_be_had_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> Fault:
        raise ConnectionError("the broker is away already")

    monkeypatch.setattr(QuietSite, "loss", lambda self: Fault(1, "loss", "", lambda: away()))
    done, counted = broken(1)
    assert counted["not done"] == 1
    assert "loss" not in done
