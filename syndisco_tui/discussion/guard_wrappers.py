"""Removes what models put around a whole reply besides headers and quotation marks.

Control tokens that were written out, the name of the chat role, one JSON object or one XML element
that holds the text, and emphasis around a header and its text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass

from .guard_patterns import ROLE, TOKEN, HeaderPatterns
from .names import name_key

_FRONT = re.compile(
    rf"(?:\s*{TOKEN}\s*(?:(?i:{ROLE})\b(?=\s*(?:{TOKEN}|\n|:)):?)?\s*"
    rf"|\s*(?i:{ROLE})\s*(?::(?=\s)|\n)\s*)+"
)
_TOKENS_AT_END = re.compile(rf"(?:{TOKEN}\s*)+\Z")
_NEXT_TURN = re.compile(
    rf"{TOKEN}(?=[ \t]*(?:\n|\Z|{TOKEN}))"
    r"|(?<=[.!?…])[\"”)]?\s{0,3}(?P<role>assistant|user)\n\n"
)
_LONGEST_TOKENS = 400
"""Characters at the end of a reply among which control tokens are looked for."""

TEXT_KEYS = frozenset(
    (
        "text", "content", "body", "output", "answer", "posted", "speech", "utterance",
        "comment", "message", "post", "reply", "response",
    )
)  # fmt: skip
_NAME_KEYS = frozenset(("name", "user", "username", "speaker", "author", "from"))
_LABEL_KEYS = _NAME_KEYS.union(
    ("role", "to", "reply_to", "type", "id", "turn", "index", "timestamp", "date", "time", "model")
)
_STRING = r'"(?P<{0}>[^"\\]*(?:\\.[^"\\]*)*)(?P<{0}_end>"?)'
_SINGLE = r"'(?P<{0}>[^'\\]*(?:\\.[^'\\]*)*)(?P<{0}_end>'?)"
_PAIR = re.compile(
    rf"\s*(?:{_STRING.format('key')}|{_SINGLE.format('single_key')})\s*"
    rf"(?::\s*(?:{_STRING.format('value')}|{_SINGLE.format('single')}|(?P<bare>[\w.+-]+))?)?"
    r"\\?\s*(?P<next>[,}]?)",
    re.DOTALL,
)
_OBJECT = re.compile(r"\s*\[?\s*\{(?=\s*(?:\\?[\"']|\Z))")
_AFTER_OBJECT = re.compile(r"[\s\]]*\Z")
_NEXT_OBJECT = re.compile(r"\s*\]?\s*,?\s*\[?\s*\{")
_ELEMENT = re.compile(rf"<({'|'.join(sorted(TEXT_KEYS))})>\s*", re.IGNORECASE)
_EMPHASIS = re.compile(r"\*{1,3}|_{1,3}")


@dataclass(frozen=True)
class Unwrapped:
    """The ``text`` that something held; ``name``: whose it says that it is.

    ``went_on``: whether further posts followed; ``next_name`` is the author of the first of them.
    """

    text: str
    name: str = ""
    went_on: bool = False
    next_name: str = ""


def without_control_tokens(text: str, names: Collection[str]) -> Unwrapped:
    """``text`` without control tokens and the role's name around it, up to the next turn.

    ``names`` are those of the participants, one of whom may be called like a role.
    """
    start = 0
    front = _FRONT.match(text)
    if front and not _is_a_name(front[0], names):
        start = front.end()
    tail = max(start, len(text) - _LONGEST_TOKENS)
    at_end = _TOKENS_AT_END.search(text, tail)
    end = at_end.start() if at_end else len(text)
    if at_end and text.startswith("</s>", end) and "<s>" in text[start:end]:
        end = len(text)  # struck through in HTML
    went_on = False
    if any(needle in text for needle in ("<|", "<｜", "s>", "_of_turn>", "assistant\n", "user\n")):
        for turn in _NEXT_TURN.finditer(text, start, end):
            if turn[0] != "</s>" or "<s>" not in text[start : turn.start()]:
                went_on = bool(text[turn.end() : end].strip())
                end = turn.start("role") if turn["role"] else turn.start()
                break
    return Unwrapped(text[start:end], went_on=went_on)


def _is_a_name(front: str, names: Collection[str]) -> bool:
    return name_key(front.strip().rstrip(":")) in {name_key(name) for name in names}


def without_emphasis(text: str, patterns: HeaderPatterns) -> str:
    """``text`` without emphasis around all of it, if a header follows the opening one."""
    emphasis = _EMPHASIS.match(text)
    if not emphasis:
        return text
    mark = emphasis[0]
    body = text.rstrip()[len(mark) : -len(mark)]
    is_around = text.rstrip().endswith(mark) and mark[0] not in body
    return body if is_around and patterns.header.match(body) else text


def unwrapped(text: str, names: Collection[str], *, complete: bool) -> Unwrapped | None:
    """The text within the one JSON object or XML element that ``text`` consists of.

    None if ``text`` is anything else, or the object holds more than a text and labels such as a
    role. ``names`` are those of all participants, which may be the key of the text. A text that is
    not ``complete`` may end within the object.
    """
    if element := _ELEMENT.match(text):
        body, tag, rest = text[element.end() :].rpartition(f"</{element[1]}>")
        return Unwrapped(body.strip()) if tag and not rest.strip() else None
    beginning = _OBJECT.match(text)
    if not beginning:
        return None
    if text.startswith("\\", beginning.end()):
        text = text.replace('\\"', '"').replace("\\'", "'")
        beginning = _OBJECT.match(text)
        assert beginning
    flat_object = _flat_object(text, beginning.end(), names, complete=complete)
    if flat_object is None:
        return None
    value, end = flat_object
    if _AFTER_OBJECT.match(text, end):
        return value
    following = _NEXT_OBJECT.match(text, end)
    later = following and _flat_object(text, following.end(), names, complete=False)
    return Unwrapped(value.text, value.name, True, later[0].name) if later else None


def _flat_object(
    text: str, position: int, names: Collection[str], *, complete: bool
) -> tuple[Unwrapped, int] | None:
    """The text in the object whose first pair is at ``position``, and where the object ends."""
    by_key = {name_key(name): name for name in names}
    body: str | None = None
    author = ""
    while pair := _PAIR.match(text, position):
        position = pair.end()
        is_cut = position == len(text) and pair["next"] != "}"
        if is_cut and complete:
            return None
        key = name_key(pair["key"] if pair["key"] is not None else pair["single_key"])
        value, is_closed = _value(pair)
        if key in TEXT_KEYS or (key in by_key and key not in _LABEL_KEYS):
            if body is not None or value is None:
                return (Unwrapped(""), len(text)) if is_cut and body is None else None
            body = value
            author = by_key.get(key, author)
        elif key in _NAME_KEYS:
            author = by_key.get(name_key(value or ""), author)
        elif key not in _LABEL_KEYS and not (is_cut and not is_closed):
            return None
        if is_cut:
            return Unwrapped(body or "", author), len(text)
        if pair["next"] == "}":
            return (Unwrapped(body, author), position) if body is not None else None
        if not pair["next"]:
            return None
    is_beginning = not complete and not text[position:].strip()
    return (Unwrapped(body or "", author), len(text)) if is_beginning else None


def _value(pair: re.Match[str]) -> tuple[str | None, bool]:
    """A pair's string (None if it is no string) and whether its last part is complete."""
    if pair["value"] is not None:
        return _decoded(pair["value"]), bool(pair["value_end"])
    if pair["single"] is not None:
        return _decoded(pair["single"].replace("\\'", "'").replace('"', '\\"')), bool(
            pair["single_end"]
        )
    return None, bool(pair["bare"])


def _decoded(body: str) -> str:
    """The decoded text of a JSON string, up to its first error."""
    try:
        return str(json.loads(f'"{body}"', strict=False))
    except ValueError:
        return body.replace("\\n", "\n").replace('\\"', '"')
