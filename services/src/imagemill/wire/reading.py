"""What reads a message raises ValueError for everything that is not one: nobody who consumes needs to know how."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Read = TypeVar("_Read")
# A header is missing, or a list where a number must be, or has digits without end; JSON is nested too deep for Python.
_UNREADABLE = (KeyError, TypeError, AttributeError, OverflowError, RecursionError)


def reads_messages(read: Callable[_Given, _Read]) -> Callable[_Given, _Read]:
    """Turn whatever a reader of messages stumbles over into ValueError."""

    @wraps(read)
    def checked(*args: _Given.args, **kwargs: _Given.kwargs) -> _Read:
        try:
            return read(*args, **kwargs)
        except _UNREADABLE as error:
            raise ValueError(f"the message cannot be read: {error!r}") from error

    return checked
