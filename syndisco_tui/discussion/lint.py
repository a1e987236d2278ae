"""Warnings about a list of personas: what is likely a mistake, but allowed."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby
from typing import Any

from .demographics import DEMOGRAPHIC_TERMS
from .name_checks import outside_authors
from .names import folded, name_key, near_name
from .persona import Persona
from .setup import DiscussionSetup

MAX_AGE = 120
"""Years; a higher age is likely a slip."""
_EXPECTED = (
    "age",
    "sex",
    "sexual_orientation",
    "demographic_group",
    "current_employment",
    "education_level",
    "personality_characteristics",
)
_FIELD_SIMILARITY = 0.8
"""difflib's ratio above which a field's name is taken for a misspelling of another."""
_ORIENTATIONS = {"heterosexual", "homosexual", "bisexual", "asexual", "pansexual", "lesbian", "gay"}


@dataclass(frozen=True)
class Warning:
    """What is odd about the persona at ``index``, in its ``field`` or, with None, as a whole."""

    index: int
    field: str | None
    sentence: str


def persona_warnings(personas: Sequence[Persona]) -> tuple[Warning, ...]:
    """The warnings about ``personas``, in the order of the list."""
    rows = [persona.as_dict() for persona in personas]
    filled = [persona.attributes() for persona in personas]
    warnings = [
        warning
        for rule in (
            _clones,
            _similar_names,
            _empty_fields,
            _mixed_types_of_age,
            _impossible_ages,
            _demographic_terms_as_orientation,
            _orientation_elsewhere,
            _spellings,
            _mixed_lists,
            _misspelled_fields,
        )
        for warning in rule(rows, filled)
    ]
    return tuple(sorted(warnings, key=lambda warning: warning.index))


_Rows = Sequence[dict[str, Any]]


def _clones(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    first: dict[str, int] = {}
    for index, persona in enumerate(filled):
        rest = {field: value for field, value in persona.items() if field != "username"}
        key = repr(sorted(rest.items()))
        if rest and first.setdefault(key, index) != index:
            name = rows[first[key]]["username"].strip()
            yield Warning(index, None, f"the same as {name} except for the name")


def author_warnings(personas: Sequence[Persona], setup: DiscussionSetup) -> tuple[Warning, ...]:
    """Seed opinions whose author takes no part but is named almost like a persona."""
    index = {name_key(persona.name): number for number, persona in enumerate(personas)}
    warnings = []
    for author in outside_authors(setup):
        near = near_name(author, setup.names)
        if near and name_key(near) in index:
            sentence = f"a seed opinion is by “{author}”, who takes no part; is {near} meant?"
            warnings.append(Warning(index[name_key(near)], "username", sentence))
    return tuple(warnings)


def _similar_names(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    """Names that differ in case, punctuation, accents, doubled or two swapped letters only."""
    seen: dict[str, int] = {}
    for index, row in enumerate(rows):
        name = row["username"].strip()
        key = _bare_name(name)
        swaps = (
            key[:i] + key[i + 1] + key[i] + key[i + 2 :]
            for i in range(len(key) - 1)
            if key[i : i + 2].isalpha()
        )
        near = next((seen[variant] for variant in (key, *swaps) if variant in seen), None)
        if near is not None:
            other = rows[near]["username"].strip()
            if other != name:
                yield Warning(index, "username", f"hard to tell from {other}")
        seen.setdefault(key, index)


def _bare_name(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"(?<!\d)[\W_]+|[\W_]+(?!\d)", "", plain)  # Ann-2-1 is not Ann-21
    runs = ((letter, len(list(run))) for letter, run in groupby(plain))
    return "".join(letter if letter.isalpha() else letter * length for letter, length in runs)


def _empty_fields(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    counts = Counter(field for persona in filled for field in persona)
    for index, persona in enumerate(filled):
        if len(persona) == 1:
            yield Warning(index, None, "has nothing but a name")
            continue
        for field in _EXPECTED:
            # A field that most leave out is left out on purpose.
            if field not in persona and counts[field] > 2 and counts[field] > 0.5 * len(filled):
                yield Warning(index, field, "empty, though most have a value")


def _type_of_age(age: object) -> str | None:
    if isinstance(age, int):
        return "a number"
    text = str(age).strip()
    return None if age is None else "a number written as text" if _is_whole(text) else "text"


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII) is not None


def _mixed_types_of_age(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    kinds = [_type_of_age(persona.get("age")) for persona in filled]
    ranked = Counter(kind for kind in kinds if kind).most_common()
    if len(ranked) < 2:
        return
    usual = ranked[0][0]
    for index, kind in enumerate(kinds):
        if kind and kind != usual:
            sentence = f"“{filled[index]['age']}” is {kind}; most others are {_PLURAL[usual]}"
            yield Warning(index, "age", sentence)


_PLURAL = {
    "a number": "numbers",
    "text": "text",
    "a number written as text": "numbers written as text",
}


def _impossible_ages(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    for index, persona in enumerate(filled):
        age = persona.get("age")
        if isinstance(age, int) or (isinstance(age, str) and _is_whole(age.strip())):
            years = int(age)
            if not 0 < years <= MAX_AGE:
                yield Warning(index, "age", f"{years} is not a plausible age")


def _demographic_terms_as_orientation(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    for index, persona in enumerate(filled):
        value = persona.get("sexual_orientation")
        if isinstance(value, str) and DEMOGRAPHIC_TERMS & set(re.findall(r"\w+", value.casefold())):
            sentence = f"“{value.strip()}” looks like a demographic_group"
            yield Warning(index, "sexual_orientation", sentence)


def _orientation_elsewhere(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    for index, persona in enumerate(filled):
        for field in ("sex", "demographic_group"):
            value = persona.get(field)
            if isinstance(value, str) and value.strip().casefold() in _ORIENTATIONS:
                sentence = f"“{value.strip()}” looks like a sexual_orientation"
                yield Warning(index, field, sentence)


def _spellings(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    """Values of a field that differ from a more frequent one in case and spaces only."""
    spelt: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for persona in rows:
        for field, text in _texts(persona):
            spelt[field, _plain(text)][text] += 1
    usual = {key: counts.most_common(1)[0][0] for key, counts in spelt.items() if len(counts) > 1}
    for index, persona in enumerate(rows):
        for field, text in _texts(persona):
            common = usual.get((field, _plain(text)), text)
            if common != text:
                yield Warning(index, field, f"“{text}” is written “{common}” elsewhere")


def _plain(text: str) -> str:
    return " ".join(folded(text).split())


def _texts(persona: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for field, value in persona.items():
        if field == "username":
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str) and part.strip():
                yield field, part


def _mixed_lists(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    for index, persona in enumerate(filled):
        for field, value in persona.items():
            if isinstance(value, list) and any(isinstance(part, str) for part in value):
                odd = next((part for part in value if not isinstance(part, str)), _NO_ODD_ENTRY)
                if odd is not _NO_ODD_ENTRY:
                    yield Warning(index, field, f"{odd!r} in the list is not text")


_NO_ODD_ENTRY = object()


def _misspelled_fields(rows: _Rows, filled: _Rows) -> Iterator[Warning]:
    known = list(Persona.model_fields)
    for index, persona in enumerate(rows):
        for field in persona:
            if field in known:
                continue
            written = re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field)).lower()
            near = get_close_matches(written, known, n=1, cutoff=_FIELD_SIMILARITY)
            if near:
                yield Warning(index, field, f"SynDisco's field is “{near[0]}”; is this a slip?")
