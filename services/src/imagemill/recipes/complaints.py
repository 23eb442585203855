"""What the decoders of JPEG, PNG and TIFF say on the error stream: nothing else tells that pixels were lost.

After damage they go on and fill in what they cannot read, so that the picture looks decoded. Their words come as C
writes them, past Python, and belong to the process: several threads may decode at a time, and only when damage was
spoken of is a picture decoded again alone, to know whether it is the one.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

Decoded = TypeVar("Decoded")

_ERROR_STREAM = 2
_READ_BYTES = 64 * 1024
# A few bytes too many before the end marker are what some cameras write; nothing of the picture is missing. After many
# the decoder had lost its place.
_DAMAGE = re.compile(
    r"Corrupt JPEG data(?!: (?:\d|1[0-6]) extraneous bytes before marker 0xd9)"
    r"|Premature end of JPEG|Inconsistent progression"
    r"|TIFF_Error|libpng warning: (?:IDAT|.*CRC)"
)


def is_damage(said: str) -> bool:
    """Do these words mean that pixels are missing or wrong?

    >>> is_damage("Corrupt JPEG data: premature end of data segment")
    True
    >>> is_damage("Corrupt JPEG data: 4 extraneous bytes before marker 0xd9")
    False
    """
    return _DAMAGE.search(said) is not None


class ErrorStream:
    """Listens to the process's error stream while pictures are decoded; what it hears is passed on afterwards."""

    def __init__(self) -> None:
        # A pipe: the child process for suspicious pictures may not write to files.
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._turn = threading.Condition()
        self._inside, self._wants_alone, self._damages = 0, 0, 0
        self._kept = -1

    def listen(self, decode: Callable[[], Decoded]) -> tuple[Decoded, bool]:
        """Decode; returns what came of it, and whether the decoder said that the picture is damaged."""
        decoded, is_suspicious = self._decoded(decode, alone=False)
        return self._decoded(decode, alone=True) if is_suspicious else (decoded, False)

    def _decoded(self, decode: Callable[[], Decoded], alone: bool) -> tuple[Decoded, bool]:
        with self._entered(alone) as before:
            decoded = decode()
            with self._turn:
                self._hear()
                return decoded, self._damages > before

    @contextlib.contextmanager
    def _entered(self, alone: bool) -> Iterator[int]:
        with self._turn:
            self._wants_alone += alone
            # Who wants to be alone goes first, or would wait for ever where there is always somebody inside.
            self._turn.wait_for(lambda: not self._inside if alone else not (self._wants_alone or self._inside < 0))
            self._inside = -1 if alone else self._inside + 1
            if self._kept < 0:
                self._redirect()
            before = self._damages
        try:
            yield before
        finally:
            with self._turn:
                self._wants_alone -= alone
                self._inside = 0 if alone else self._inside - 1
                if not self._inside:
                    self._restore()
                self._turn.notify_all()

    def _redirect(self) -> None:
        self._kept = os.dup(_ERROR_STREAM)
        os.dup2(self._writer, _ERROR_STREAM)

    def _restore(self) -> None:
        self._hear()
        os.dup2(self._kept, _ERROR_STREAM)
        os.close(self._kept)
        self._kept = -1

    def _hear(self) -> None:
        """Count what was said of damage since the last time; it goes on to where it was meant for."""
        try:
            said = os.read(self._reader, _READ_BYTES)
        except BlockingIOError:
            return
        self._damages += is_damage(said.decode("utf-8", "replace"))
        with contextlib.suppress(OSError):
            os.write(self._kept, said)


STREAM = ErrorStream()
