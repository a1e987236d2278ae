"""Which characters a username may have: visible ones, and joiners in scripts that need them."""

from __future__ import annotations

import unicodedata

MAX_NAME_LENGTH = 100
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Characters that Unicode counts as letters or symbols but that show nothing."""
_JOINING_SCRIPTS = (
    range(0x0590, 0x10A0),  # Hebrew, Arabic and related scripts, Indic ones, Tibetan, Myanmar
    range(0x1780, 0x1AB0),  # Khmer, Mongolian, further Indic ones
    range(0x1B00, 0x1C80),
    range(0xA800, 0xAC00),
    range(0xFB50, 0xFF00),  # Arabic's presentation forms
    range(0x10A00, 0x12000),
)


def username_error(name: str) -> str:
    """Why ``name`` cannot be a username, as part of a sentence; empty if it can."""
    if not name.strip():
        return "a persona needs a username"
    if len(name) > MAX_NAME_LENGTH:
        return f"a username has at most {MAX_NAME_LENGTH} characters"
    for index, character in enumerate(name):
        if not character.isprintable() and not _is_joining(name, index):
            return f"a username is one line of printable characters, without U+{ord(character):04X}"
    if not any(map(_is_visible, name)):
        return "a username needs a visible character"
    return ""


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANK_LETTERS


def _is_joining(name: str, index: int) -> bool:
    """Whether a joiner is between emoji, or between letters of a script that uses joiners.

    Elsewhere it would only make two names that look alike.
    """
    if name[index] not in JOINERS or not 0 < index < len(name) - 1:
        return False
    before, after = name[index - 1], name[index + 1]
    if all(any(ord(each) in block for block in _JOINING_SCRIPTS) for each in (before, after)):
        return all(unicodedata.category(each)[0] in "LM" for each in (before, after))
    # An emoji may end in a skin tone (Sk) or in a variation selector (Mn).
    is_emoji = unicodedata.category(before) in ("So", "Sk", "Mn")
    return is_emoji and unicodedata.category(after) == "So"
