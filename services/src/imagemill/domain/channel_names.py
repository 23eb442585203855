"""How channels may be called: their names are parts of document ids and addresses."""

import re

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def is_channel_name(text: str) -> bool:
    """Lower-case letters, digits and `-`, at most 40."""
    return _NAME.fullmatch(text) is not None
