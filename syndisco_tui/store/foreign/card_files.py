"""Character cards in pictures (PNG, APNG) and archives (CHARX): the text of their JSON."""

from __future__ import annotations

import base64
import binascii
import zipfile
from collections.abc import Iterator
from io import BytesIO

from ..inputs import InputError

MAX_CARD_BYTES = 10_000_000
"""Of a card's JSON."""
_PNG_START = b"\x89PNG\r\n\x1a\n"
_KEYWORDS = (b"ccv3", b"chara")
"""Of the chunks that hold a card, the preferred one first."""


def card_in_picture(content: bytes, where: object) -> str:
    """The JSON text of the card in a PNG or APNG. Raises InputError."""
    chunks = dict(reversed(list(_text_chunks(content))))  # of two alike, the first counts
    encoded = next((chunks[keyword] for keyword in _KEYWORDS if keyword in chunks), None)
    if encoded is None:
        raise InputError(f"{where}: the picture has no character card in it")
    if len(encoded) > MAX_CARD_BYTES * 4 // 3:
        raise InputError(f"{where}: the card is too large; {_limit()} is the limit")
    unpadded = b"".join(encoded.split()).rstrip(b"=")
    padded = unpadded + b"=" * (-len(unpadded) % 4)
    try:
        return base64.b64decode(padded, validate=True).decode("utf-8-sig")
    except (binascii.Error, UnicodeDecodeError):
        raise InputError(f"{where}: the card in the picture is damaged (not base64)") from None


def card_in_archive(content: bytes, where: object) -> str:
    """The JSON text of ``card.json`` in a CHARX archive. Raises InputError."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive, archive.open("card.json") as file:
            text = file.read(MAX_CARD_BYTES + 1)
    except KeyError:
        raise InputError(f"{where}: the archive has no card.json in it") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError):
        raise InputError(f"{where}: the archive is damaged, or locked by a password") from None
    if len(text) > MAX_CARD_BYTES:
        raise InputError(f"{where}: the card is too large; {_limit()} is the limit")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{where}: card.json is not UTF-8 text") from None


def _text_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keyword, in lower case, and value of the picture's ``tEXt`` chunks."""
    start = len(_PNG_START)
    while start + 8 <= len(content):
        length = int.from_bytes(content[start : start + 4])
        if content[start + 4 : start + 8] == b"tEXt" and start + 8 + length <= len(content):
            keyword, _, value = content[start + 8 : start + 8 + length].partition(b"\0")
            yield keyword.lower(), value
        start += length + 12


def _limit() -> str:
    return f"{MAX_CARD_BYTES / 1e6:.0f} MB"
