"""What is likely a mistake in a list of personas. Nothing here is an error: people decide."""

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

OLDEST = 120
"""Years beyond which an age is likely a slip."""
_EXPECTED = (
    "age",
    "sex",
    "sexual_orientation",
    "demographic_group",
    "current_employment",
    "education_level",
    "personality_characteristics",
)
_NEAR = 0.8
"""difflib's ratio from which a field's name is taken for a slip of another."""
_ORIENTATIONS = {"heterosexual", "homosexual", "bisexual", "asexual", "pansexual", "lesbian", "gay"}


@dataclass(frozen=True)
class Warning:
    """What is odd about the persona at ``index``; in which ``field``, if it is in one."""

    index: int
    field: str | None
    sentence: str


def persona_warnings(personas: Sequence[Persona]) -> tuple[Warning, ...]:
    """Everything that looks like a slip, in the order of the list."""
    rows = [persona.as_dict() for persona in personas]
    told = [persona.attributes() for persona in personas]
    warnings = [
        warning
        for rule in (
            _clones,
            _near_names,
            _says_nothing,
            _kinds_of_age,
            _impossible_ages,
            _peoples_as_orientation,
            _orientation_elsewhere,
            _spellings,
            _mixed_lists,
            _near_fields,
        )
        for warning in rule(rows, told)
    ]
    return tuple(sorted(warnings, key=lambda warning: warning.index))


_Rows = Sequence[dict[str, Any]]


def _clones(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    first: dict[str, int] = {}
    for index, persona in enumerate(told):
        rest = {field: value for field, value in persona.items() if field != "username"}
        key = repr(sorted(rest.items()))
        if rest and first.setdefault(key, index) != index:
            name = rows[first[key]]["username"].strip()
            yield Warning(index, None, f"the same as {name} in everything but the name")


def author_warnings(personas: Sequence[Persona], setup: DiscussionSetup) -> tuple[Warning, ...]:
    """Seed opinions whose author takes no part but has nearly the name of one who does."""
    index = {name_key(persona.name): number for number, persona in enumerate(personas)}
    warnings = []
    for author in outside_authors(setup):
        near = near_name(author, setup.names)
        if near and name_key(near) in index:
            sentence = f"a seed opinion is by “{author}”, who takes no part; is {near} meant?"
            warnings.append(Warning(index[name_key(near)], "username", sentence))
    return tuple(warnings)


def _near_names(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    """Names that are one but for case, signs, accents, a doubled letter or two swapped ones."""
    seen: dict[str, int] = {}
    for index, row in enumerate(rows):
        name = row["username"].strip()
        key = _bare_name(name)
        swaps = (
            key[:at] + key[at + 1] + key[at] + key[at + 2 :]
            for at in range(len(key) - 1)
            if key[at : at + 2].isalpha()
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
    plain = re.sub(r"(?<!\d)[\W_]+|[\W_]+(?!\d)", "", plain)  # but Ann-2-1 is not Ann-21
    runs = ((letter, len(list(run))) for letter, run in groupby(plain))
    return "".join(letter if letter.isalpha() else letter * length for letter, length in runs)


def _says_nothing(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    filled = Counter(field for persona in told for field in persona)
    for index, persona in enumerate(told):
        if len(persona) == 1:
            yield Warning(index, None, "has a name and says nothing else")
            continue
        for field in _EXPECTED:
            # Whoever leaves a field out everywhere means it.
            if field not in persona and filled[field] > 2 and filled[field] > 0.5 * len(told):
                yield Warning(index, field, "empty, where most have something")


def _kind_of_age(age: object) -> str | None:
    if isinstance(age, int):
        return "a number"
    text = str(age).strip()
    return None if age is None else "a number written as text" if _is_whole(text) else "text"


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII) is not None


def _kinds_of_age(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    kinds = [_kind_of_age(persona.get("age")) for persona in told]
    ranked = Counter(kind for kind in kinds if kind).most_common()
    if len(ranked) < 2:
        return
    usual = ranked[0][0]
    for index, kind in enumerate(kinds):
        if kind and kind != usual:
            sentence = f"“{told[index]['age']}” is {kind}; of the others most are {_PLURAL[usual]}"
            yield Warning(index, "age", sentence)


_PLURAL = {
    "a number": "numbers",
    "text": "text",
    "a number written as text": "numbers written as text",
}


def _impossible_ages(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    for index, persona in enumerate(told):
        age = persona.get("age")
        if isinstance(age, int) or (isinstance(age, str) and _is_whole(age.strip())):
            years = int(age)
            if not 0 < years <= OLDEST:
                yield Warning(index, "age", f"{years} is no age that people have")


def _peoples_as_orientation(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    for index, persona in enumerate(told):
        value = persona.get("sexual_orientation")
        if isinstance(value, str) and DEMOGRAPHIC_TERMS & set(re.findall(r"\w+", value.casefold())):
            sentence = f"“{value.strip()}” looks like a demographic_group"
            yield Warning(index, "sexual_orientation", sentence)


def _orientation_elsewhere(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    for index, persona in enumerate(told):
        for field in ("sex", "demographic_group"):
            value = persona.get(field)
            if isinstance(value, str) and value.strip().casefold() in _ORIENTATIONS:
                sentence = f"“{value.strip()}” looks like a sexual_orientation"
                yield Warning(index, field, sentence)


def _spellings(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    """Values of a field that are one but for case and spaces: all but the usual spelling."""
    spelt: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for persona in rows:
        for field, text in _texts(persona):
            spelt[field, _plain(text)][text] += 1
    usual = {key: counts.most_common(1)[0][0] for key, counts in spelt.items() if len(counts) > 1}
    for index, persona in enumerate(rows):
        for field, text in _texts(persona):
            common = usual.get((field, _plain(text)), text)
            if common != text:
                yield Warning(index, field, f"“{text}” is elsewhere written “{common}”")


def _plain(text: str) -> str:
    return " ".join(folded(text).split())


def _texts(persona: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for field, value in persona.items():
        if field == "username":
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str) and part.strip():
                yield field, part


def _mixed_lists(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    for index, persona in enumerate(told):
        for field, value in persona.items():
            if isinstance(value, list) and any(isinstance(part, str) for part in value):
                odd = next((part for part in value if not isinstance(part, str)), _NONE_ODD)
                if odd is not _NONE_ODD:
                    yield Warning(index, field, f"{odd!r} in the list is no text")


_NONE_ODD = object()


def _near_fields(rows: _Rows, told: _Rows) -> Iterator[Warning]:
    known = list(Persona.model_fields)
    for index, persona in enumerate(rows):
        for field in persona:
            if field in known:
                continue
            written = re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field)).lower()
            near = get_close_matches(written, known, n=1, cutoff=_NEAR)
            if near:
                yield Warning(index, field, f"SynDisco's field is “{near[0]}”; is this a slip?")
