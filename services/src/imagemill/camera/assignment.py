"""Who takes and who gives up which camera. Pure: readers that see the same decide the same, each for itself."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Assignment:
    """What one reader does now. `nobody`: cameras for which no reader has room."""

    take: tuple[str, ...] = ()
    give_up: tuple[str, ...] = ()
    nobody: tuple[str, ...] = ()


def plan(me: str, capacities: Mapping[str, int], holders: Mapping[str, str | None]) -> Assignment:
    """`capacities` are of the readers seen alive, `holders` of the cameras that are wanted.

    Free cameras go to the reader with the fewest. When two readers differ by more than one camera, the fullest gives
    one up, which is then free: a reader that is added fills up within one round.
    """
    shares: dict[str, list[str]] = {reader: [] for reader in sorted(capacities)}
    for camera, holder in sorted(holders.items()):
        if holder in shares:
            shares[holder].append(camera)
    own = set(shares[me])
    given_up = _overfull(shares, capacities)
    nobody = _hand_out(shares, capacities, sorted(camera for camera, holder in holders.items() if holder not in shares))
    given_up += _level(shares, capacities)
    take = tuple(camera for camera in shares[me] if camera not in own)
    return Assignment(take, tuple(camera for camera in given_up if camera in own), nobody)


def _overfull(shares: dict[str, list[str]], capacities: Mapping[str, int]) -> list[str]:
    excess = []
    for reader, cameras in shares.items():
        excess += cameras[capacities[reader] :]
        del cameras[capacities[reader] :]
    return excess


def _hand_out(shares: dict[str, list[str]], capacities: Mapping[str, int], free: list[str]) -> tuple[str, ...]:
    for number, camera in enumerate(free):
        reader = _emptiest(shares, capacities)
        if reader is None:
            return tuple(free[number:])
        shares[reader].append(camera)
    return ()


def _level(shares: dict[str, list[str]], capacities: Mapping[str, int]) -> list[str]:
    """Takes from the fullest while that makes things more even; each camera taken is counted where it will be."""
    moved: list[str] = []
    expected = {reader: len(cameras) for reader, cameras in shares.items()}
    while True:
        fullest = max(expected, key=lambda reader: (expected[reader], reader))
        room = [reader for reader in expected if expected[reader] < capacities[reader]]
        emptiest = min(room, key=lambda reader: (expected[reader], reader), default=fullest)
        if expected[fullest] - expected[emptiest] <= 1:
            return moved
        moved.append(shares[fullest].pop())
        expected[fullest] -= 1
        expected[emptiest] += 1


def _emptiest(shares: Mapping[str, list[str]], capacities: Mapping[str, int]) -> str | None:
    room = [reader for reader, cameras in shares.items() if len(cameras) < capacities[reader]]
    return min(room, key=lambda reader: (len(shares[reader]), reader), default=None)
