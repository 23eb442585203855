"""What can be wrong with a request, whoever makes it; `api.web.problems` alone says it in HTTP."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A request that cannot be met: a stable `code` for programs, a sentence for people, the `member` that is wrong.

    `mistakes` says of each member that is wrong why; the one that is told is among them.
    """

    def __init__(self, code: str, sentence: str, member: str = "", mistakes: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.code, self.member = code, member
        self.mistakes = dict(mistakes or {}) or ({member: sentence} if member else {})


class Invalid(DomainError, ValueError):
    """A value that cannot be."""


class InvalidMembers(Invalid):
    """Several values that cannot be: who can tell of one only tells of the first, a form of all."""

    def __init__(self, errors: Sequence[Invalid]) -> None:
        first = errors[0]
        super().__init__(first.code, str(first), first.member)
        self.errors = tuple(errors)


class NotFound(DomainError):
    """There is nothing of that name."""


class AlreadyExists(DomainError):
    """There is one of that name."""


class ChangedMeanwhile(DomainError):
    """It is not, or not any more, what the request takes it for."""


class Gone(DomainError):
    """It was there, and is not any more."""


class Busy(DomainError):
    """As much is under way as may be; the same request may succeed in a moment."""


class NoAnswer(DomainError):
    """Whoever must do it did not answer in time."""


def changed_meanwhile(name: str) -> ChangedMeanwhile:
    """Make the error for an overwrite of what was not seen before."""
    sentence = f"{name!r} was changed by somebody else meanwhile; read it again, then change that."
    return ChangedMeanwhile("changed-meanwhile", sentence)
