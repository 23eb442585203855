"""What became of the files of an upload."""

from dataclasses import dataclass, field
from typing import Any

from imagemill.cli.files import File


@dataclass
class Account:
    """Items as the API tells them, each with the `file`; `sent_bytes` went over the wire."""

    batch: str
    accepted: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    sent_bytes: int = 0

    def add(self, other: "Account") -> None:
        """Joins a request's account."""
        self.accepted += other.accepted
        self.rejected += other.rejected
        self.failed += other.failed
        self.skipped += other.skipped
        self.sent_bytes += other.sent_bytes

    @property
    def duplicates(self) -> int:
        """How many have a result that was known."""
        return sum(bool(item["duplicate"]) for item in self.accepted)

    @property
    def known(self) -> int:
        """How many files were accepted by their hashes, and not sent."""
        return len({item["file"] for item in self.accepted if item.get("known")})

    def events(self) -> list[dict[str, Any]]:
        """An event for each file and recipe, for `--json` and manifests."""
        return [
            *({"event": "accepted", **item} for item in self.accepted),
            *({"event": "rejected", **item} for item in self.rejected),
            *({"event": "not-sent", **item} for item in self.failed),
            *({"event": "there", "file": shown} for shown in self.skipped),
        ]

    def counts(self) -> dict[str, int]:
        """The numbers of the last line."""
        return {
            "accepted": len(self.accepted), "duplicates": self.duplicates, "known": self.known,
            "rejected": len(self.rejected), "not_sent": len(self.failed), "there": len(self.skipped),
            "sent_bytes": self.sent_bytes,
        }  # fmt: skip


def not_sent(file: File, detail: str) -> dict[str, Any]:
    """The item of a file that did not get there."""
    return {"name": file.name, "file": file.shown, "detail": detail}
