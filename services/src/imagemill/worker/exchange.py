"""What a worker and its decoder process tell each other: JSON in a pipe, the pictures' bytes in memory that both see.

Never pickles, as multiprocessing would send them: whoever takes the child over by a decoder's bug could make the
worker, which has the secrets, run any code.
"""

import json
import mmap
import os
from functools import lru_cache
from typing import Any

from imagemill.recipes import ImageError, Picture, Recipe, from_canonical

_FREED_ABOVE_BYTES = 8 << 20
MAX_MESSAGE_BYTES = 1 << 20
# A picture of 16 bits and four channels that no encoder makes smaller, and as much again.
_BYTES_PER_PIXEL = 16
_OTHER_BYTES = 64 << 20


class SharedBytes:
    """One picture's bytes at a time. It takes memory for what was put into it, not for its size."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._map, self.size = mmap.mmap(descriptor, size), size

    def put(self, data: bytes, at: int = 0) -> int:
        """Lay them down; the other side takes as many. Raises ValueError when they are too many."""
        if at + len(data) > self.size:
            raise ValueError(f"{len(data):,} bytes do not fit into {self.size - at:,}")
        self._map[at : at + len(data)] = data
        return len(data)

    def take(self, count: int, at: int = 0) -> bytes:
        """Copy them. Raises ValueError when there is no room for as many."""
        if not (0 <= at <= self.size and 0 <= count <= self.size - at):
            raise ValueError(f"{count} bytes at {at}")
        return self._map[at : at + count]

    def free(self, count: int) -> None:
        """Give the memory of many back."""
        if count > _FREED_ABOVE_BYTES:
            self._map.madvise(mmap.MADV_REMOVE)


def shared_memory(max_pixels: int) -> tuple[int, int]:
    """A descriptor without a name, and its size: room for the largest picture."""
    size = _OTHER_BYTES + max_pixels * _BYTES_PER_PIXEL
    descriptor = os.memfd_create("imagemill-picture", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, size)
    return descriptor, size


def question(recipe: Recipe, count: int) -> bytes:
    """Ask for a recipe to be applied to so many bytes."""
    return json.dumps([recipe.name, recipe.canonical, count]).encode()


def read_question(message: bytes) -> tuple[Recipe, int]:
    """Recipe and number of bytes."""
    name, steps, count = json.loads(message)
    return _recipe(name, steps), count


@lru_cache(maxsize=64)
def _recipe(name: str, steps: str) -> Recipe:
    return from_canonical(name, steps)


def picture_answer(picture: Picture, shared: SharedBytes) -> bytes:
    """Lay down what came of it, its previews behind it, and tell how many bytes each has."""
    counts, at = [], 0
    for part in (picture.data, picture.preview, picture.preview_of_original):
        counts.append(None if part is None else shared.put(part, at))
        at += len(part or b"")
    facts = [counts, picture.content_type, picture.width, picture.height, picture.is_damaged]
    return json.dumps({"picture": facts}).encode()


def error_answer(error: Exception) -> bytes:
    """Tell what went wrong."""
    if isinstance(error, ImageError):
        return json.dumps({"image_error": [error.code, error.detail]}).encode()
    return json.dumps({"error": repr(error)[:1000]}).encode()


def read_answer(message: bytes, shared: SharedBytes) -> Picture:
    """The picture; raises ImageError, RuntimeError for what nobody foresaw, and ValueError for what is no answer."""
    answer = _object(message)
    if "picture" in answer:
        return _picture(answer["picture"], shared)
    if "image_error" in answer:
        code, detail = answer["image_error"]
        raise ImageError(str(code), str(detail))
    raise RuntimeError(f"in the child process: {answer.get('error')}")


def _object(message: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(message)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(answer, dict) or not all(isinstance(facts, list | str) for facts in answer.values()):
        raise ValueError("it is not of the agreed form")
    return answer


def _picture(facts: list[Any], shared: SharedBytes) -> Picture:
    counts, content_type, width, height, is_damaged = facts
    data, preview, of_original = _parts(counts, shared)
    if data is None or not all(isinstance(number, int) for number in (width, height)):
        raise ValueError("its numbers cannot be")
    return Picture(data, str(content_type), width, height, bool(is_damaged), preview, of_original)


def _parts(counts: Any, shared: SharedBytes) -> tuple[bytes | None, bytes | None, bytes | None]:
    if not isinstance(counts, list) or not all(count is None or isinstance(count, int) for count in counts):
        raise ValueError("its numbers cannot be")
    first, second, third = counts
    behind = (first or 0) + (second or 0)
    return tuple(
        None if count is None else shared.take(count, at)
        for count, at in ((first, 0), (second, first or 0), (third, behind))
    )  # type: ignore[return-value]
