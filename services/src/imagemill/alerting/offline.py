"""The page in an alert's ZIP: it shows the alert where there is no network, and can load and run nothing.

It is made of the alert's JSON form, which may come from a stranger's file: whatever is in it becomes text.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

PICTURE = re.compile(r"[a-z0-9-]{1,40}\.jpg")
_CAPTIONS = {
    "annotated.jpg": "The clearest moment, with what was noticed drawn in",
    "best.jpg": "The clearest moment",
    "before.jpg": "Before it began",
}
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 960px; margin: 32px auto; padding: 0 16px; }
h1 { font-size: 28px; margin: 0; } h2 { font-size: 17px; margin: 32px 0 8px; }
img { max-width: 100%; height: auto; display: block; border-radius: 4px; }
figure { margin: 16px 0; } figcaption, .quiet, dt { opacity: 0.75; font-size: 13px; }
.strip { display: flex; flex-wrap: wrap; gap: 4px; } .strip img { height: 96px; width: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dd, li, p { margin: 0; overflow-wrap: anywhere; }
@media print { body { margin: 0; } }
"""


def policy() -> str:
    """What the page may do: show pictures that lie beside it, in this style. Nothing is run, sent or loaded."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    # A page that was opened as a file has no origin that 'self' could mean in every browser.
    parts = ("default-src 'none'", "img-src 'self' file:", f"style-src 'sha256-{digest}'", "base-uri 'none'",
             "form-action 'none'")  # fmt: skip
    return "; ".join(parts)


def offline_page(alert: Mapping[str, Any], names: Iterable[str]) -> str:
    """Make the page of an alert and its pictures, which lie beside it."""
    pictures = [name for name in names if PICTURE.fullmatch(name)]
    details = _object(alert.get("details"))
    title = f"Alert {_text(alert.get('number'))}: {_text(alert.get('description'))} ({_text(alert.get('camera'))})"
    large = [name for name in _CAPTIONS if name in pictures]
    strip = sorted(name for name in pictures if name.startswith("strip-"))
    body = [
        f"<h1>Alert {_text(alert.get('number'))} {_text(alert.get('camera'))}</h1>",
        f"<p>{_text(alert.get('description'))}, {_text(alert.get('started_at'))}</p>",
        *(f"<figure>{_image(name)}<figcaption>{escape(_CAPTIONS[name])}</figcaption></figure>" for name in large),
        *([f'<h2>As it went</h2><div class="strip">{"".join(map(_image, strip))}</div>'] if strip else []),
        *([] if pictures else ['<p class="quiet">There is no picture of it.</p>']),
        "<h2>What happened</h2>", _facts(_happened(alert, details)),
        "<h2>Who was told</h2>", _told(alert.get("sent")),
    ]  # fmt: skip
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy())}">'
        '<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
    )
    return f"{head}<body>{''.join(body)}</body></html>\n"


def _happened(alert: Mapping[str, Any], details: Mapping[str, Any]) -> list[tuple[str, str]]:
    seen = _object(alert.get("acknowledged"))
    note = f": {_text(seen.get('note'))}" if seen.get("note") else ""
    found = [
        ("Kind", _text(alert.get("kind"))),
        ("Began", _text(details.get("started_at"))),
        ("Ended", _text(details.get("ended_at"))),
        ("Score", _text(details.get("score"))),
        ("Zones", _listed(details.get("zones"))),
        ("Class", _text(details.get("class"))),
        ("Rules", _listed(alert.get("rules"))),
        ("Why", _text(alert.get("reason"))),
        ("Acknowledged", f"{_text(seen.get('by'))}, {_text(seen.get('at'))}{note}" if seen else "by nobody yet"),
    ]
    return [(name, value) for name, value in found if value]


def _facts(found: Sequence[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in found) + "</dl>"


def _told(sent: Any) -> str:
    lines = [_object(line) for line in sent] if isinstance(sent, list) else []
    if not lines:
        return '<p class="quiet">Nobody.</p>'
    words = ("channel", "result", "at", "answer")
    return (
        "<ul>"
        + "".join(f"<li>{', '.join(filter(None, (_text(one.get(w)) for w in words)))}</li>" for one in lines)
        + "</ul>"
    )


def _image(name: str) -> str:
    return f'<img src="{escape(name)}" alt="{escape(_CAPTIONS.get(name, "A moment of it"))}">'


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Any) -> str:
    return ", ".join(map(_text, value)) if isinstance(value, list) else ""


def _text(value: Any) -> str:
    """As text in a page; a container says nothing."""
    return escape(str(value)) if isinstance(value, str | int | float) else ""
