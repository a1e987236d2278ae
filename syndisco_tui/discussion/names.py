"""Comparing names: after trimming, Unicode composition (NFC) and case folding."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

_NAME_SIMILARITY = 0.6
"""difflib's ratio above which a name is taken for a misspelling of another."""

_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))


def folded(text: str) -> str:
    """``text`` composed and case-folded, for comparing."""
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", composed.casefold())


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """What all spellings of a name have in common. Invisible joiners do not count."""
    return folded(name.strip().translate(_JOINERS))


def name_clash(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two of ``names`` that are the same name, or None."""
    seen: dict[str, str] = {}
    for name in names:
        key = name_key(name)
        if key in seen:
            return seen[key], name
        seen[key] = name
    return None


def near_name(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` of which ``name`` is probably a misspelling, or None.

    One that extends it, as “Emma35” extends “Emma”, is preferred to one that is similar.
    """
    by_key = {name_key(each): each for each in names}
    key = name_key(name)
    longer = [each for each in by_key if each.startswith(key) or key.startswith(each)]
    near = get_close_matches(key, longer or by_key, n=1, cutoff=0.0 if longer else _NAME_SIMILARITY)
    return by_key[near[0]] if key and near else None


def name_spellings(names: Iterable[str]) -> tuple[str, ...]:
    """``names`` composed and decomposed, the longest first."""
    spellings = {unicodedata.normalize(form, name) for name in names for form in ("NFC", "NFD")}
    return tuple(sorted(spellings, key=lambda name: (-len(name), name)))


def name_pattern(names: Iterable[str]) -> str:
    """A regular expression for any of ``names``, composed or decomposed, the longest first."""
    return "|".join(map(re.escape, name_spellings(names)))


def other_names(names: Iterable[str], speaker: str) -> tuple[str, ...]:
    """``names``, each once, without those that are the same as ``speaker``."""
    return tuple(name for name in dict.fromkeys(names) if name_key(name) != name_key(speaker))
