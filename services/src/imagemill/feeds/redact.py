"""Takes credentials out of text before anybody sees it."""

import re
from urllib.parse import quote

from imagemill.feeds.spec import Credentials

HIDDEN = "***"
# Up to the last @ of the word: a password with an @ or a / in it must not leave its end behind. A path with an @ loses
# more than it had to, which does no harm.
_USERINFO = re.compile(r"(?<=://)[^\s\"'<>]*@")
_PARAMETER = re.compile(
    r"([?&;](?:[a-z_-]*(?:pass|pwd|token|key|secret|auth|sig|cred)[a-z_-]*|user(?:name)?|usr|login|account)=)[^&;\s\"'<>]+",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(authorization\s*[:=]\s*)[^\r\n]+", re.IGNORECASE)


def redact(text: str, credentials: Credentials | None = None) -> str:
    """The text with user names and passwords of URLs, secret parameters and the given credentials hidden.

    Give credentials for text that others wrote. In one's own sentences a password like `wrong` would be hidden where
    it is just a word, which tells it to whoever knows the sentence.
    """
    for secret in _forms(credentials):
        text = text.replace(secret, HIDDEN)
    text = _USERINFO.sub(HIDDEN + "@", text)
    text = _PARAMETER.sub(lambda found: found.group(1) + HIDDEN, text)
    return _HEADER.sub(lambda found: found.group(1) + HIDDEN, text)


def _forms(credentials: Credentials | None) -> list[str]:
    """The password as it may appear, the longest first; the user's name alone is no secret and may be a common word."""
    if credentials is None or not credentials.password:
        return []
    password = credentials.password
    return sorted({password, quote(password, safe=""), quote(password)}, key=len, reverse=True)
