"""Makes the pictures that tests work on; none is kept in the repository.

`import pictures` works in every test. Most functions return encoded bytes, the same for the same arguments.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from PIL import Image

ORIENTATION, GPS_IFD = 0x0112, 0x8825
GPS_MARK = b"Imagemill-secret-place"
"""Stands in all metadata that `exif_gps_jpeg` writes: no result may contain it."""


def quadrants(width: int = 64, height: int = 48) -> np.ndarray:
    """RGB pixels: red, green / blue, white. Each turn and mirroring of it looks different."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    top, left = slice(None, height // 2), slice(None, width // 2)
    bottom, right = slice(height // 2, None), slice(width // 2, None)
    pixels[top, left], pixels[top, right], pixels[bottom, left] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    assert pixels[bottom, right].all()
    return pixels


def photo(width: int = 640, height: int = 480, seed: int = 0) -> np.ndarray:
    """BGR pixels that compress like a photo: large shapes, finer ones on them, a little sensor noise."""
    random = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 128, np.float32)
    for cells, contrast in ((8, 60), (32, 25), (128, 10)):
        grid = random.normal(0, contrast, (max(2, height * cells // 1080), max(2, width * cells // 1080), 3))
        pixels += cv2.resize(grid.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    pixels += random.normal(0, 2, (height, width, 1))
    return pixels.clip(0, 255).astype(np.uint8)


def photo_jpeg(width: int = 640, height: int = 480, seed: int = 0, quality: int = 80) -> bytes:
    """A photo-like JPEG; 1920 × 1080 at quality 80 has about 220 kB."""
    return cv2.imencode(".jpg", photo(width, height, seed), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """What Pillow saves."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png(width: int = 64, height: int = 48) -> bytes:
    """The quadrants as RGB PNG."""
    return encoded(Image.fromarray(quadrants(width, height)), "PNG")


def rgba(width: int = 64, height: int = 48) -> Image.Image:
    """The quadrants; left half opaque, right half invisible."""
    alpha = np.zeros((height, width), np.uint8)
    alpha[:, : width // 2] = 255
    return Image.fromarray(np.dstack([quadrants(width, height), alpha]))


def rgba_png(width: int = 64, height: int = 48, **options: Any) -> bytes:
    """The quadrants as PNG whose right half is transparent."""
    return encoded(rgba(width, height), "PNG", **options)


def png16(width: int = 64, height: int = 48, channels: int = 1) -> bytes:
    """A ramp over all 65536 levels, as a PNG of 16 bits with 1, 3 or 4 channels."""
    ramp = np.linspace(0, 65535, width * height).astype(np.uint16).reshape(height, width)
    return cv2.imencode(".png", ramp if channels == 1 else np.dstack([ramp] * channels))[1].tobytes()


def palette(width: int = 64, height: int = 48) -> Image.Image:
    """The quadrants in 8 palette colours."""
    return Image.fromarray(quadrants(width, height)).quantize(8)


def palette_png(width: int = 64, height: int = 48, **options: Any) -> bytes:
    """A PNG with a palette; `transparency=0` makes red (the first colour that is used) invisible."""
    return encoded(palette(width, height), "PNG", **options)


def gif(width: int = 64, height: int = 48) -> bytes:
    """A GIF of one frame."""
    return encoded(palette(width, height), "GIF")


def gif_animated(width: int = 64, height: int = 48, frames: int = 3) -> bytes:
    """A GIF of several frames, each turned around against the one before."""
    turned = [palette(width, height).rotate(180 * (frame % 2)) for frame in range(1, frames)]
    return encoded(palette(width, height), "GIF", save_all=True, append_images=turned, duration=100)


def cmyk_jpeg(width: int = 64, height: int = 48, inverted: bool = True, **options: Any) -> bytes:
    """The quadrants as CMYK JPEG: as Adobe writes it, or plain and without Adobe's marker."""
    image = Image.fromarray(quadrants(width, height)).convert("CMYK")
    if inverted:
        return encoded(image, "JPEG", quality=95, **options)
    data = encoded(image.point(lambda value: 255 - value), "JPEG", quality=95, **options)
    marker = data.index(b"\xff\xee")
    assert data[marker + 4 : marker + 9] == b"Adobe"
    return data[:marker] + data[marker + 2 + struct.unpack_from(">H", data, marker + 2)[0] :]


def exif(orientation: int = 1, gps: bool = False) -> Image.Exif:
    """An EXIF block with an orientation, and a place if wanted."""
    block = Image.Exif()
    block[ORIENTATION] = orientation
    if gps:
        block[0x010E] = GPS_MARK.decode()
        block.get_ifd(GPS_IFD).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0), 29: "2026:01:01"})
    return block


def exif_gps_jpeg(orientation: int = 1, width: int = 64, height: int = 48) -> bytes:
    """The quadrants as JPEG with GPS_MARK in EXIF, XMP, comment and colour profile."""
    return encoded(Image.fromarray(quadrants(width, height)), "JPEG", quality=95, **everything_known(orientation))


def everything_known(orientation: int = 1) -> dict[str, Any]:
    """Pillow's options for all kinds of metadata, with GPS_MARK in each."""
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + GPS_MARK + b"</x:xmpmeta>"
    return {"exif": exif(orientation, gps=True), "xmp": xmp, "comment": GPS_MARK, "icc_profile": GPS_MARK * 10}


def oriented(format: str, orientation: int) -> bytes:
    """The quadrants in a format that knows EXIF orientations, as a camera held that way would store them."""
    image = Image.fromarray(quadrants())
    if format == "TIFF":
        return encoded(image, format, tiffinfo={ORIENTATION: orientation})
    lossless = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(format, {})
    return encoded(image, format, exif=exif(orientation), **lossless)


def truncated_jpeg(share: float = 0.6, width: int = 640, height: int = 480) -> bytes:
    """The first part of a JPEG whose transfer broke off."""
    data = photo_jpeg(width, height)
    return data[: int(len(data) * share)]


def png_chunk(kind: bytes, content: bytes = b"") -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb_png_header(width: int = 50_000, height: int = 50_000) -> bytes:
    """A valid PNG of some hundred bytes that claims to be enormous."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + chunks


def bmp(width: int = 64, height: int = 48) -> bytes:
    """The quadrants as BMP."""
    return encoded(Image.fromarray(quadrants(width, height)), "BMP")


def tiff(width: int = 64, height: int = 48, pages: int = 1, **options: Any) -> bytes:
    """The quadrants as TIFF, with one or more pages."""
    image = Image.fromarray(quadrants(width, height))
    more = {"save_all": True, "append_images": [image] * (pages - 1)} if pages > 1 else {}
    return encoded(image, "TIFF", **more, **options)


def webp(width: int = 64, height: int = 48, **options: Any) -> bytes:
    """The quadrants as WebP."""
    return encoded(Image.fromarray(quadrants(width, height)), "WEBP", **options)


def webp_animated(width: int = 64, height: int = 48, frames: int = 3) -> bytes:
    """A WebP of several frames."""
    turned = [rgba(width, height).rotate(180 * (frame % 2)) for frame in range(1, frames)]
    return encoded(rgba(width, height), "WEBP", save_all=True, append_images=turned, duration=100, lossless=True)


def one_of_each() -> dict[str, bytes]:
    """A small intact picture of each content type that is taken in."""
    return {
        "image/jpeg": photo_jpeg(64, 48),
        "image/png": png(),
        "image/webp": webp(),
        "image/gif": gif(),
        "image/bmp": bmp(),
        "image/tiff": tiff(),
    }
