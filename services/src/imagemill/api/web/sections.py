"""The sections of the page: one line here is all that a new section needs, besides its route and its icon."""

from dataclasses import dataclass

from imagemill.domain.access import Permission


@dataclass(frozen=True)
class Section:
    """A section: its word is its name, `g` and then `key` goes there, `icon` names a drawing in `_icons.html`.

    `is_rare`: on a phone it is behind "More".
    """

    name: str
    word: str
    path: str
    key: str
    icon: str
    permission: Permission = Permission.VIEW
    is_rare: bool = False


SECTIONS = (
    Section("upload", "Upload", "/", "u", "upload"),
    Section("pictures", "Pictures", "/pictures", "p", "pictures"),
    Section("batches", "Batches", "/batches", "b", "batches"),
    Section("pools", "Pools", "/pools", "o", "pools", is_rare=True),
    Section("failures", "Failures", "/failures", "f", "failures"),
    Section("live", "Live", "/live", "l", "live", is_rare=True),
    Section("cameras", "Cameras", "/cameras", "c", "cameras", is_rare=True),
    Section("alerts", "Alerts", "/alerts", "a", "alerts"),
    Section("access", "Access", "/access", "x", "access", Permission.ADMINISTER, is_rare=True),
)
