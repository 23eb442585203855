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
    callback: str | None = None
    batch_callback: str | None = None

    def optional(self) -> dict[str, str]:
        """What may be asked for, of that what is."""
        names = ("source", "priority", "callback", "batch_callback")
        given = {name: getattr(self, name) for name in names}
        return {name: str(value) for name, value in given.items() if value is not None}

    def fields(self) -> dict[str, Any]:
        """As form fields."""
        return {"batch": self.batch, "recipe": list(self.recipes), **self.optional()}

    def has(self, file: File, digest: str) -> bool:
        """Is the file in the batch already, under every recipe?"""
        return bool(self.known) and all((file.name, digest, recipe) in self.known for recipe in self.recipes)


def in_batch(client: Client, batch: str, most: int) -> Known:
    """What a batch has already: the same file is not sent into it again."""
    images = client.pages(path_of("images"), "images", most, batch=batch)
    return frozenset((image["name"], image["original"]["sha256"], image["recipe"]) for image in images)
