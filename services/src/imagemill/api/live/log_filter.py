"""Which lines of the log are meant. `static/js/logfilter.js` asks the same of what is heard later."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# Told every few seconds of every camera: shown when they are asked for.
OFTEN = "camera-counts"
_TROUBLE = frozenset({"failed", "rejected", "redriven"})
_UNWELL = frozenset({"stalled", "offline"})
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What a line has to have; empty is anything. `text` is a part of what stands in it, in any case."""

    text: str = ""
    kind: str = ""
    batch: str = ""
    pool: str = ""
    camera: str = ""
    by: str = ""
    level: str = ""

    @property
    def names(self) -> dict[str, str]:
        """What it asks for, as an address says it."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def needs_jobs(self) -> bool:
        """Does it ask for what only the picture's job tells?"""
        return bool(self.text or self.pool)

    def matches(self, line: Mapping[str, Any]) -> bool:
        """Is it one of them? Lines are records with their name, pool and the words of `more`."""
        wanted = line["kind"] == self.kind if self.kind else line["kind"] != OFTEN
        return (
            wanted
            and all(line.get(name) == value for name, value in self._exactly.items() if value)
            and (self.level != "trouble" or is_trouble(line))
            and self.text.lower() in text_of(line)
        )

    @property
    def _exactly(self) -> dict[str, str]:
        return {"batch": self.batch, "pool": self.pool, "camera": self.camera, "by": self.by}


def filter_of(values: Mapping[str, str]) -> LogFilter:
    """The filter that an address describes; what cannot be meant means nothing."""
    given = {name: str(values.get(name) or "").strip()[:_LONGEST] for name in LogFilter.__dataclass_fields__}
    return LogFilter(**{**given, "level": given["level"] if given["level"] == "trouble" else ""})


def is_trouble(record: Mapping[str, Any]) -> bool:
    """Should somebody look at it? What failed, was refused, or had to be done again."""
    return (
        record["kind"] in _TROUBLE
        or bool(record.get("problem"))
        or (record["kind"] == "taken" and int(record.get("attempt") or 1) > 1)
        or (record["kind"] == "told" and record.get("result") != "sent")
        or (record["kind"] == "camera" and record.get("state") in _UNWELL)
    )


def text_of(line: Mapping[str, Any]) -> str:
    """What is looked through, in small letters: what stands in the line, and the picture's id."""
    alert = f"alert {line['number']}" if line.get("number") else None
    said = (line["kind"], line.get("name"), line.get("image"), alert, line.get("camera"), line.get("batch"),
            line.get("by"), line.get("database"), line.get("more"))  # fmt: skip
    return " ".join(str(word) for word in said if word).lower()
