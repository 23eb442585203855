"""What the templates show, computed: the trace with its waits, the bytes of a picture nobody can read."""

from collections.abc import Sequence
from dataclasses import dataclass

from imagemill.admission import headers
from imagemill.admission.headers import HeaderError
from imagemill.api.web.formatting import moment
from imagemill.domain.images import TraceStep

_HEX_BYTES = 256
_HEX_ROW = 16
STEPS = ("accepted", "taken", "done", "stored")


@dataclass(frozen=True)
class Hop:
    """A mark of the trace with the way that led to it; `start` and `share` are percent of the whole way.

    `since` is milliseconds since the first mark.
    """

    step: TraceStep
    word: str
    milliseconds: float
    since: float
    start: float
    share: float


def hops(trace: Sequence[TraceStep]) -> list[Hop]:
    """The trace as a time line."""
    if not trace:
        return []
    times = [moment(step.at).timestamp() * 1000 for step in trace]
    whole = max(times[-1] - times[0], 1)
    found = [Hop(trace[0], "", 0, 0, 0, 0)]
    for index, step in enumerate(trace[1:]):
        before, after = times[index : index + 2]
        start, took = 100 * (before - times[0]) / whole, max(after - before, 0)
        word, share = _hop_word(trace[index].step, step.step), round(100 * took / whole, 2)
        found.append(Hop(step, word, took, max(after - times[0], 0), round(start, 2), share))
    return found


def _hop_word(before: str, after: str) -> str:
    """What happened between two marks. A picture which no worker brought to an end was only waited for."""
    if after == "stored":
        return "looked up" if before == "accepted" else "stored"
    return "worked on" if (before, after) == ("taken", "done") else "waited"


def whole_milliseconds(trace: Sequence[TraceStep]) -> float:
    """From the first mark to the last."""
    return (moment(trace[-1].at) - moment(trace[0].at)).total_seconds() * 1000 if trace else 0


@dataclass(frozen=True)
class Autopsy:
    """What the bytes of an unreadable picture tell."""

    facts: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, str, str]]


def autopsy(data: bytes) -> Autopsy:
    """Header facts and the first bytes of a picture."""
    rows = [_hex_row(offset, data[offset : offset + _HEX_ROW]) for offset in range(0, len(data[:_HEX_BYTES]), _HEX_ROW)]
    return Autopsy(_header_facts(data), rows)


def _hex_row(offset: int, part: bytes) -> tuple[str, str, str]:
    text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
    return f"{offset:04x}", part.hex(" "), text


def _header_facts(data: bytes) -> list[tuple[str, str]]:
    try:
        info = headers.read(data)
    except HeaderError as error:
        return [("Header", error.detail)]
    depth = f"{info.bits} bits a channel, {info.colour}{', with alpha' if info.alpha else ''}"
    return [
        ("Format", info.content_type),
        ("Claimed size", f"{info.width:,} × {info.height:,} px"),
        ("Pixels", depth),
        ("Structure", f"damaged: {info.damage}" if info.damage else "complete as far as the header tells"),
    ]
