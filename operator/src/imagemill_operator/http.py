"""Reads what others serve over HTTP, and never more than can be meant."""

import ssl

import aiohttp


class TooLongError(ValueError):
    """An answer is longer than can be meant."""


async def get_text(
    session: aiohttp.ClientSession,
    url: str,
    timeout_seconds: float,
    most_bytes: int,
    tls: ssl.SSLContext | None = None,
) -> str:
    """Return a body as text. Without ``tls`` the system's authorities are believed.

    Raises ``TooLongError`` when it is longer than ``most_bytes``, ``aiohttp.ClientError``, ``OSError`` or
    ``TimeoutError`` when there is none.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    async with session.get(url, timeout=timeout, allow_redirects=False, ssl=tls or True) as response:
        response.raise_for_status()
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > most_bytes:
                raise TooLongError(f"the answer is longer than {most_bytes} bytes")
        return body.decode(errors="replace")
