"""What is asked for all files of an upload."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.cli.client import Client, path_of
from imagemill.cli.files import File

Known = frozenset[tuple[str, str, str]]


@dataclass(frozen=True)
class UploadPlan:
    """What is asked for all files; `known` are (name, SHA-256, recipe) which the batch has already."""

    batch: str
    recipes: Sequence[str]
    source: str | None = None
    priority: int | None = None
    known: Known = frozenset()

    def fields(self) -> dict[str, Any]:
        """As form fields."""
        optional = {"source": self.source, "priority": self.priority}
        given = {name: str(value) for name, value in optional.items() if value is not None}
        return {"batch": self.batch, "recipe": list(self.recipes), **given}

    def has(self, file: File, digest: str) -> bool:
        """Is the file in the batch already, under every recipe?"""
        return bool(self.known) and all((file.name, digest, recipe) in self.known for recipe in self.recipes)


def in_batch(client: Client, batch: str, most: int) -> Known:
    """What a batch has already: the same file is not sent into it again."""
    images = client.pages(path_of("images"), "images", most, batch=batch)
    return frozenset((image["name"], image["original"]["sha256"], image["recipe"]) for image in images)
