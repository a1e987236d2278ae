"""Guesses the scripts and languages of a text, without a model.

Scripts are recognized by Unicode's blocks, languages in Latin script by their commonest words. When
in doubt, nothing is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_SCRIPTS = {
    "Latin": "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ",
    "Greek": "Ͱ-Ͽἀ-῿",
    "Cyrillic": "Ѐ-ԯ",
    "Armenian": "԰-֏",
    "Hebrew": "֐-׿",
    "Arabic": "؀-ۿݐ-ݿ",
    "Devanagari": "ऀ-ॿ",
    "Bengali": "ঀ-৿",
    "Tamil": "஀-௿",
    "Thai": "฀-๿",
    "Georgian": "Ⴀ-ჿ",
    "Han": "㐀-䶿一-鿿",
    "Kana": "぀-ヿ",
    "Hangul": "가-힯ᄀ-ᇿ",
}
_LETTERS = {name: re.compile(f"[{ranges}]") for name, ranges in _SCRIPTS.items()}
_NAMED_SCRIPTS = {
    "Greek": ("Greek",),
    "Russian": ("Cyrillic",),
    "Ukrainian": ("Cyrillic",),
    "Bulgarian": ("Cyrillic",),
    "Serbian": ("Cyrillic",),
    "Hebrew": ("Hebrew",),
    "Arabic": ("Arabic",),
    "Persian": ("Arabic",),
    "Urdu": ("Arabic",),
    "Hindi": ("Devanagari",),
    "Thai": ("Thai",),
    "Chinese": ("Han",),
    "Mandarin": ("Han",),
    "Japanese": ("Han", "Kana"),
    "Korean": ("Hangul",),
}
_COMMON_WORDS = {
    "English": "the and is are to of that it you i not in for this with have be",
    "German": "der die das und ist nicht ich ein eine zu den mit auch sich es wir auf sind",
    "French": "le les et est des une je ne pas vous nous que qui dans pour c'est sur du",
    "Spanish": "el los las y es una que no por con para se del lo como pero más está",
    "Italian": "il gli e è una che non di per con sono del della anche ma io questo",
    "Portuguese": "o os as e é uma que não por com para se do da mas em isso eu",
    "Dutch": "de het een en is niet dat ik van je zijn met ook voor op maar",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON_WORDS.items()}
_NAMED = re.compile(rf"\b(?:{'|'.join([*_NAMED_SCRIPTS, *_COMMON_WORDS])})\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

SAMPLE = 20_000
"""Characters that are looked at."""
SHARE = 0.3
"""The share of letters (of words) from which on a text is in a script (a language)."""
CONTRAST = 0.08
"""A text is only in another language if fewer of its words are of the discussion's."""
LEAST_LETTERS = 4
"""In another script; one emoticon such as ツ is none."""
LEAST_WORDS = 12
"""A text of fewer words is in no particular language."""


@dataclass(frozen=True)
class Languages:
    """The scripts and languages that a discussion is written in."""

    scripts: frozenset[str]
    languages: frozenset[str]
    """Of those in Latin script; empty where none is recognized."""


def languages_of(texts: Iterable[str], instructions: str = "") -> Languages:
    """The scripts and languages of each of ``texts``, and those that ``instructions`` name."""
    scripts: set[str] = set()
    languages: set[str] = set()
    for text in texts:
        scripts.update(scripts_of(text))
        languages.update(filter(None, [language_of(text)]))
    for name in {match[0].capitalize() for match in _NAMED.finditer(instructions)}:
        if name in _NAMED_SCRIPTS:
            scripts.update(_NAMED_SCRIPTS[name])
        else:
            scripts.add("Latin")
            languages.add(name)
    return Languages(frozenset(scripts), frozenset(languages))


def is_foreign(text: str, expected: Languages) -> bool:
    """Whether a good part of ``text`` is in a script or a language that is not ``expected``."""
    text = text[:SAMPLE]
    if scripts_of(text, LEAST_LETTERS) - _with_kin(expected.scripts):
        return True
    language = language_of(text)
    if not language or not expected.languages or language in expected.languages:
        return False
    shares = _shares(text)
    return all(shares[each] < CONTRAST for each in expected.languages)


@lru_cache(maxsize=4096)
def scripts_of(text: str, least: int = 1) -> frozenset[str]:
    """The scripts in which at least ``SHARE`` of the letters, and ``least`` of them, are."""
    text = text[:SAMPLE]
    if text.isascii():
        return frozenset({"Latin"} if any(map(str.isalpha, text)) else ())
    counts = {name: len(letters.findall(text)) for name, letters in _LETTERS.items()}
    total = sum(counts.values())
    return frozenset(
        name for name, count in counts.items() if count >= max(least, SHARE * total, 1)
    )


@lru_cache(maxsize=1024)
def language_of(text: str) -> str:
    """The language of ``text`` in Latin script; empty if it is uncertain."""
    shares = _shares(text[:SAMPLE])
    if not shares:
        return ""
    best = max(shares, key=lambda language: shares[language])
    others = [share for language, share in shares.items() if language != best]
    return best if shares[best] >= SHARE and shares[best] > 1.5 * max(others) else ""


def _shares(text: str) -> dict[str, float]:
    """For each language, the share of its commonest words in ``text``; nothing if it is short."""
    words = _WORD.findall(text.casefold().replace("’", "'"))
    if len(words) < LEAST_WORDS:
        return {}
    return {
        language: sum(word in common for word in words) / len(words)
        for language, common in _WORDS.items()
    }


def _with_kin(scripts: frozenset[str]) -> frozenset[str]:
    """``scripts``, and those that are commonly mixed with them."""
    together = {"Han", "Kana"}
    return scripts | together if "Kana" in scripts else scripts
