"""Foreign text made safe to show: everything that models, files and people wrote passes here.

Single characters are replaced, never sequences, so a text may be cleaned whole or in chunks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_MAX_MARKS = 4

_TABLE: dict[int, str] = {code: chr(0x2400 + code) for code in range(0x20)}
_TABLE |= {0x7F: "\N{SYMBOL FOR DELETE}", 0x09: "    ", 0x0D: ""}
_TABLE |= dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT)  # C1: CSI, OSC and their kin
_TABLE |= dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT)  # lone surrogates
_TABLE |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x61C), _REPLACEMENT)
_TABLE |= dict.fromkeys((0xAD, 0x180E, *range(0x200B, 0x2010), 0xFEFF), "")
_TABLE |= dict.fromkeys(
    (*range(0x2060, 0x2066), *range(0x206A, 0x2070), *range(0xFFF9, 0xFFFC)), ""
)
_TABLE |= dict.fromkeys(range(0xE0000, 0xE0080), "")  # invisible tags
_LINE_BREAKS = {0x0A: "\n", 0x0B: "\n", 0x0C: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}
_MANY_LINES = _TABLE | _LINE_BREAKS
_FOREIGN = frozenset(map(chr, _MANY_LINES)) - {"\n"}
_FEW = 20
"""Up to this many different characters are replaced one after the other, which is faster."""
_ONE_LINE = _TABLE | dict.fromkeys(_LINE_BREAKS, " ")
_EDITABLE: dict[int, str] = {
    code: shown for code, shown in _TABLE.items() if len(shown) == 1 and code != 0x0A
} | dict.fromkeys((0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), " ")
_MAYBE_MARKS = re.compile(rf"[^\w\s\0-\x7f]{{{_MAX_MARKS + 1},}}")


def safe(text: str) -> str:
    """``text`` without anything that a terminal would obey. Line breaks stay."""
    shown = text if text.isprintable() else _replaced(text)
    return shown if text.isascii() else _fewer_marks(shown)


def _replaced(text: str) -> str:
    unsafe = _FOREIGN.intersection(text)
    if len(unsafe) > _FEW:
        return text.translate(_MANY_LINES)
    for character in unsafe:
        text = text.replace(character, _MANY_LINES[ord(character)])
    return text


def one_line(text: str, limit: int = 200) -> str:
    """``text`` made safe, on one line, shortened to ``limit`` characters with an ellipsis."""
    line = _fewer_marks(text[: 4 * limit].translate(_ONE_LINE))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


_ACCENTS = re.compile("[\u0300-\u036f]")


def search_key(text: str) -> str:
    """``text`` as searches compare it, without case and accents: “cafe” finds “Café”."""
    if text.isascii():
        return text.casefold()
    return _ACCENTS.sub("", unicodedata.normalize("NFD", text)).casefold()


def search_positions(text: str) -> tuple[str, Sequence[int]]:
    """``search_key(text)``, and for each of its characters the index of its origin in ``text``."""
    if text.isascii():
        return text.casefold(), range(len(text))
    keys = [search_key(character) for character in text]
    return "".join(keys), [index for index, key in enumerate(keys) for _ in key]


def counted(number: int, singular: str, plural: str = "") -> str:
    """“1 turn”, “3 turns”; ``plural`` where it is not the singular with an s."""
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"


def editable(text: str) -> str:
    """``text`` made safe for an editor: every character stays one character.

    Invisible characters stay, because people type them (in emoji, in Persian).
    """
    return text.translate(_EDITABLE)


def _fewer_marks(text: str) -> str:
    """``text`` with at most a few combining marks on a letter: terminals stall on thousands."""
    return _MAYBE_MARKS.sub(lambda run: _first_marks(run.group()), text)


def _first_marks(text: str) -> str:
    characters, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MAX_MARKS:
            characters.append(character)
    return "".join(characters)


def without_credentials(url: str) -> str:
    """``url`` without a user name, a password, a query or a fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:  # half an IPv6 address
        return url.partition("?")[0].rpartition("@")[2]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def gigabytes(size: int) -> str:
    """Format a size in bytes: “538 MB”, “15.2 GB”."""
    if size < 999.5e6:
        return f"{size / 1e6:.0f} MB"
    return f"{size / 1e9:,.1f} GB"


def parameter_count(count: int) -> str:
    """Format a number of parameters as in models' names: “135M”, “7.6B”; empty for 0."""
    if count < 999.5e6:
        return f"{count / 1e6:.0f}M" if count else ""
    return f"{count / 1e9:.1f}B" if count < 99.95e9 else f"{count / 1e9:,.0f}B"


def duration(seconds: float) -> str:
    """A duration in seconds, minutes or hours, for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
