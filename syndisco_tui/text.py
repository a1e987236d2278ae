"""The one door for foreign text: what a model, a file or a stranger wrote, made safe to show.

Single characters are replaced, never sequences, so a text may be cleaned whole or in chunks.
"""

from __future__ import annotations

import re
import unicodedata

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_MAX_MARKS = 4

_TABLE: dict[int, str] = {code: chr(0x2400 + code) for code in range(0x20)}
_TABLE |= {0x7F: "\N{SYMBOL FOR DELETE}", 0x09: "    ", 0x0D: ""}
_TABLE |= dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT)  # C1: CSI, OSC and their kin
_TABLE |= dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT)  # lone surrogates
_TABLE |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x61C), _REPLACEMENT)
_TABLE |= dict.fromkeys((0xAD, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF), "")
_TABLE |= dict.fromkeys(range(0xE0000, 0xE0080), "")  # invisible tags
_LINE_BREAKS = {0x0A: "\n", 0x0B: "\n", 0x0C: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}
_MANY_LINES = _TABLE | _LINE_BREAKS
_ONE_LINE = _TABLE | dict.fromkeys(_LINE_BREAKS, " ")
_MARKS = re.compile(
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def safe(text: str) -> str:
    """``text`` with nothing in it that a terminal would obey. Line breaks stay."""
    return (
        _fewer_marks(text.translate(_MANY_LINES))
        if not text.isascii()
        else (text.translate(_MANY_LINES))
    )


def one_line(text: str, limit: int = 200) -> str:
    """The same on one line, cut to ``limit`` characters with an ellipsis."""
    line = _fewer_marks(text[: 4 * limit].translate(_ONE_LINE))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _fewer_marks(text: str) -> str:
    """No more than a few combining marks on one letter: terminals stall on thousands."""
    return _MARKS.sub(lambda run: run.group()[:_MAX_MARKS], text)


def sortable(text: str) -> str:
    """A key that sorts names as people expect: without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
