"""Takes credentials out of text before anybody sees it."""

import re
from urllib.parse import quote

HIDDEN = "***"
# Up to the last @ of the word: a password with an @ or a / in it must not leave its end behind. A path with an @ loses
# more than it had to, which does no harm.
_USERINFO = re.compile(r"(?<=://)[^\s\"'<>]*@")
_PARAMETER = re.compile(
    r"([?&;](?:[a-z_-]*(?:pass|pwd|token|key|secret|auth|sig|cred)[a-z_-]*|user(?:name)?|usr|login|account)=)[^&;\s\"'<>]+",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(authorization\s*[:=]\s*)[^\r\n]+", re.IGNORECASE)


def redact(text: str, password: str = "") -> str:
    """The text with user names and passwords of URLs, secret parameters and the given password hidden.

    Give the password for text that others wrote. In one's own sentences a password like `wrong` would be hidden where
    it is just a word, which tells it to whoever knows the sentence.
    """
    for secret in _forms(password):
        text = text.replace(secret, HIDDEN)
    text = _USERINFO.sub(HIDDEN + "@", text)
    text = _PARAMETER.sub(lambda found: found.group(1) + HIDDEN, text)
    return _HEADER.sub(lambda found: found.group(1) + HIDDEN, text)


def _forms(password: str) -> list[str]:
    """The password as it may appear, the longest first; a user's name alone is no secret and may be a common word."""
    forms = {password, quote(password, safe=""), quote(password)}
    return sorted(filter(None, forms), key=len, reverse=True)
