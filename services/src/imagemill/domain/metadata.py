"""Pictures without what cameras and programs write into them besides pixels: where, when, with what, by whom. Pure."""

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN, _END, _COMMENT = 0xDA, 0xD9, 0xFE
# What decoding needs: JFIF's resolution and Adobe's word about colours.
_KEPT = frozenset({0xE0, 0xEE})
_CHUNK_HEAD = 8
_PIXELS = frozenset({
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs",
})  # fmt: skip


def without_metadata(data: bytes) -> bytes | None:
    """The same pixels, bit by bit, without metadata; None where the format is another one, or it cannot be told.

    >>> without_metadata(b"GIF89a") is None
    True
    """
    if data.startswith(_JPEG):
        return _jpeg(data)
    if data.startswith(_PNG):
        return _png(data)
    return None


def _jpeg(data: bytes) -> bytes | None:
    """Segments up to the first scan; what follows are pixels, and what follows their end is dropped."""
    kept, at = [_JPEG], len(_JPEG)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _END or length < 2:
            return None
        if marker == _SCAN:
            end = data.rfind(b"\xff\xd9")
            return b"".join([*kept, data[at : end + 2 if end > at else len(data)]])
        is_metadata = marker == _COMMENT or (0xE0 <= marker <= 0xEF and marker not in _KEPT)
        if not is_metadata:
            kept.append(data[at : at + 2 + length])
        at += 2 + length
    return None


def _png(data: bytes) -> bytes | None:
    kept, at = [_PNG], len(_PNG)
    while at + _CHUNK_HEAD <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + _CHUNK_HEAD + length + 4
        if end > len(data):
            return None
        if name in _PIXELS:
            kept.append(data[at:end])
        if name == b"IEND":
            return b"".join(kept)
        at = end
    return None
