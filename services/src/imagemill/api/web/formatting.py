"""Numbers, sizes and times in words. `static/js/format.js` says the same in the browser."""

from datetime import UTC, datetime

from flask import Flask

from imagemill.domain.names import folder_and_base

_SIZES = (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000))
_FORMATS = {
    "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/gif": "GIF", "image/bmp": "BMP",
    "image/tiff": "TIFF",
}  # fmt: skip
_STATES = {"accepted": "in flight", "in_flight": "in flight"}


def install(app: Flask) -> None:
    """Makes the words known to every template."""
    filters = {
        "number": number, "size": size, "exact_size": exact_size, "ago": ago, "exact": exact, "milliseconds":
        milliseconds, "saved": saved, "format_name": format_name, "state_word": state_word, "plural": plural,
        "hours": hours, "clock": clock, "day": day, "due": due, "up_to_99": up_to_99, "sentence": sentence,
        "folder_and_base": folder_and_base,
    }  # fmt: skip
    app.jinja_env.filters.update(filters)


def number(value: int) -> str:
    """12,034"""
    return f"{value:,}"


def up_to_99(value: int) -> str:
    """`99+` for more than 99: beside a word there is room for no more."""
    return str(value) if value < 100 else "99+"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 picture`, `2 pictures`; `many` where an s is not enough."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def hours(value: float) -> str:
    """`24 hours`, `7 days`"""
    days = value / 24
    return plural(int(days), "day") if days >= 2 and days.is_integer() else f"{value:g} hour{'' if value == 1 else 's'}"


def size(value: int) -> str:
    """276 kB: three digits are what a person compares by."""
    for unit, factor in _SIZES:
        if value >= factor:
            amount = value / factor
            return f"{amount:.{0 if amount >= 100 else 1 if amount >= 10 else 2}f} {unit}"
    return f"{value} B"


def exact_size(value: int) -> str:
    """275,748 bytes"""
    return plural(value, "byte")


def moment(text: str) -> datetime:
    """The moment of a record's time stamp."""
    return datetime.fromisoformat(text)


def exact(text: str) -> str:
    """2026-11-21 09:15:03.302 UTC"""
    return moment(text).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def sentence(error: object) -> str:
    """What an error says, as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def clock(text: str) -> str:
    """09:15:03.302, in UTC; `static/js/clock.js` makes it the time of where the browser is."""
    return moment(text).strftime("%H:%M:%S.%f")[:-3]


def day(text: str) -> str:
    """Saturday, 21 November 2026"""
    return f"{moment(text):%A, %-d %B %Y}"


def due(text: str) -> str:
    """21 Nov 2026, 09:15 UTC"""
    return f"{moment(text):%-d %b %Y, %H:%M} UTC"


def ago(text: str, now: datetime | None = None) -> str:
    """`5 s ago`, `3 min ago`; a date once it is a week old."""
    seconds = ((now or datetime.now(UTC)) - moment(text)).total_seconds()
    if seconds < 2:
        return "now"
    for limit, unit, factor in ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600)):
        if seconds < limit:
            return f"{int(seconds // factor)} {unit} ago"
    days = int(seconds // 86_400)
    return f"{plural(days, 'day')} ago" if days < 7 else text[:10]


def milliseconds(value: float) -> str:
    """`18 ms`, `1.25 s`, `3 min 4 s`."""
    if value < 1000:
        return f"{value:.0f} ms"
    if value < 60_000:
        return f"{value / 1000:.3g} s"
    return f"{int(value // 60_000)} min {int(value % 60_000 // 1000)} s"


def saved(original: int, result: int) -> str:
    """How many bytes the result saves."""
    share = 100 * (original - result) / original if original else 0
    percent = round(share)
    if percent == 100 and result:
        return f"{min(share, 99.9):.1f} %"  # nearly all is not all
    return f"{percent} %" if percent > 0 else f"nothing, it is {-percent:,} % larger" if percent else "nothing"


def format_name(content_type: str) -> str:
    """JPEG"""
    return _FORMATS.get(content_type, content_type)


def state_word(status: str) -> str:
    """The state in the words of the header's equation."""
    return _STATES.get(status, status)
