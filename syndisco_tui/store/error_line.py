"""In which line of a file a fault stands, where the parser does not say.

Each function gives ``line N: ``, ready to stand in a sentence, or nothing.
"""

from __future__ import annotations

import re

MOST_PARTS = 50
"""Parts of a dotted key at most: TOML's parser takes time and memory by their square."""

_STRING = r'"(?:[^"\\]|\\.)*+"'
_TOKEN = re.compile(rf"{_STRING}|[{{}}\[\],:]|[^\s{{}}\[\],:\"]+", re.DOTALL)
_PART = r"""(?:(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
_LONG_KEY = re.compile(rf"(?:{_PART}\.[ \t]*+){{{MOST_PARTS}}}")


def number_line(text: str, number: str) -> str:
    """Where ``number`` stands outside strings in JSON."""
    for token in _TOKEN.finditer(text):
        if token.group() == number:
            return _line(text, token.start())
    return ""


def second_key_line(text: str) -> str:
    """Where a key of a JSON object stands that the object has already."""
    objects: list[set[str] | None] = []
    last = ""
    for token in _TOKEN.finditer(text):
        match word := token.group():
            case "{" | "[":
                objects.append(set() if word == "{" else None)
            case "}" | "]":
                if objects:
                    objects.pop()
            case ":" if objects and (keys := objects[-1]) is not None:
                if last in keys:
                    return _line(text, token.start())
                keys.add(last)
        last = word
    return ""


def deep_line(text: str, levels: int) -> str:
    """Where JSON is nested more than ``levels`` deep."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += (token.group() in ("{", "[")) - (token.group() in ("}", "]"))
        if depth > levels:
            return _line(text, token.start())
    return ""


def long_key_line(text: str) -> str:
    """Where TOML has a dotted key of more than ``MOST_PARTS`` parts."""
    found = _LONG_KEY.search(text)
    return _line(text, found.start()) if found else ""


def _line(text: str, place: int) -> str:
    return f"line {text.count(chr(10), 0, place) + 1}: "
