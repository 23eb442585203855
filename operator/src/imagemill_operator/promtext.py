"""Reads the few lines that are wanted out of Prometheus's text format.

RabbitMQ's answer has some lines for each queue and is read every two seconds: a full parser would cost more than all
else the operator does, so lines of other metrics are passed over before anything of them is looked at.
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")


class Sample(NamedTuple):
    """One line."""

    name: str
    labels: dict[str, str]
    value: float


def samples(text: str, names: frozenset[str]) -> Iterator[Sample]:
    """Yield the samples with one of the names; a line that cannot be read, or tells no number, is passed over."""
    for line in text.splitlines():
        name, brace, rest = line.partition("{")
        if not brace:
            name, _, rest = line.partition(" ")
        if name not in names:
            continue
        labels, _, value = rest.rpartition("} ") if brace else ("", "", rest)
        try:
            number = float(value.split()[0])
        except (ValueError, IndexError):
            continue
        if math.isfinite(number):
            yield Sample(name, _labels(labels), number)


def _labels(text: str) -> dict[str, str]:
    return {name: _unescape(value) for name, value in _LABEL.findall(text)}


def _unescape(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], value)
