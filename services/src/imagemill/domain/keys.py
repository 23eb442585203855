"""Idempotency keys: what a client sends with a picture, so that a repeat of its request is the same job.

A job's id sorts by its time, so that it cannot be any hash of the key. Where the key is itself a UUID version 7 of just
now, as those of the page and the command line, the id has the key's time and nothing needs to be looked up.
"""

import hashlib
import re

from imagemill.domain.ids import is_uuid, made_at, with_time_of

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
# Within this time a repeat has the same id without a look at the ledger, where the first request may just be arriving.
# Re-drive waits longer than that for latecomers.
_OLDEST_SECONDS = 240.0
_NEWEST_SECONDS = 10.0


def is_key(text: str) -> bool:
    """May it be a key: up to 200 visible characters of ASCII?"""
    return _KEY.fullmatch(text) is not None


def digest(key: str, purpose: str) -> str:
    """What stands for a key and what it is used for: another picture, or another recipe, is another job."""
    return hashlib.sha256(f"{key}\n{purpose}".encode()).hexdigest()


def derived_id(key: str, purpose: str) -> str | None:
    """The id with the key's time, None for keys which have none.

    >>> derived_id("invoice-17", "gray") is None
    True
    """
    made = key.partition("/")[0]
    if not (is_uuid(made) and made[14] == "7"):
        return None
    return with_time_of(made, digest(key, purpose))


def key_of_file(key: str, index: int) -> str:
    """The key of one of several files which came with one key."""
    return f"{key}/{index}"


def is_recent(job_id: str, now: float) -> bool:
    """Was an id made just now, by a clock like ours?"""
    return now - _OLDEST_SECONDS <= made_at(job_id) <= now + _NEWEST_SECONDS
