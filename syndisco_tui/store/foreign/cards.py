"""Character cards (V1, V2, V3) as personas, and personas as cards (V2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...discussion import Persona
from ...discussion.persona import CHARACTER_CARD, MAX_NAME_LENGTH
from ...text import one_line
from ..file_kinds import Kind
from ..inputs import InputError, validated
from .converted import Content

V3_ONLY = (
    "nickname", "assets", "source", "group_only_greetings", "creation_date", "modification_date",
    "creator_notes_multilingual",
)  # fmt: skip
TEXT_FIELDS = {
    "description": "description",
    "personality": "personality",
    "mes_example": "example_messages",
}
"""A card's texts that become a field of the persona each, by that field's name."""
MAPPING = (
    ("name, nickname", "username"),
    ("description", "description"),
    ("personality", "personality"),
    ("mes_example", "example_messages"),
    ("character_book", "lore"),
    ("system_prompt, post_history_instructions", "special_instructions"),
    ("scenario", "offered as context"),
    ("first_mes", "offered as seed opinion"),
    ("everything else", "kept with the card, in no prompt"),
)
EXTENSION = "syndisco_tui"
"""Key in a card's ``extensions`` under which all of a persona's fields are exported."""
OTHERS = "the others"
"""What a card's ``{{user}}`` stands for in a discussion of several."""
LARGEST_ASSET = 10_000
"""Characters of an embedded asset (a picture, mostly) that are kept."""

_NAME_MACRO = re.compile(r"\{\{char\}\}|<(?:bot|char)>", re.IGNORECASE)
_USER_MACRO = re.compile(r"\{\{user\}\}|<user>", re.IGNORECASE)
_ORIGINAL_MACRO = re.compile(r"\{\{original\}\}\s*", re.IGNORECASE)


def content_of_card(value: Mapping[str, Any], where: object, kind: Kind, stem: str) -> Content:
    """The persona of a card; ``stem`` is the username if the card has none.

    Raises InputError, which begins with ``where``.
    """
    data, notes = _data_of(value, where)
    own = _exported_persona(data, where)
    given = data.get("nickname") or data.get("name") or ""
    name = _username(str(given)) or _username(stem) or "Character"
    if not _username(str(given)):
        notes.append(f"the card gives no name; it is called {name} after its file")
    version = str(value.get("spec_version", ""))
    if kind.name.endswith("(V3)") and version not in ("", "3.0"):
        notes.append(f"the card is of version {one_line(version, 20)}, read as 3.0")
    fields: dict[str, Any] = {"username": name}
    for source, field in TEXT_FIELDS.items():
        if text := _text(data, source):
            fields[field] = expanded(text, name)
    if instructions := _instructions(data, name):
        fields["special_instructions"] = instructions
    if lore := _lore(data, name):
        fields["lore"] = lore
    card = {key: value[key] for key in ("spec", "spec_version") if key in value} | {"data": data}
    if own is None:
        persona = validated(Persona, {**fields, CHARACTER_CARD: card}, where)
    else:
        persona = _merged(own, fields, card, data, where)
    return Content(kind, personas=(persona,), mapping=MAPPING, notes=tuple(notes))


def expanded(text: str, name: str) -> str:
    """``text`` with a card's macros replaced: the character's name, and “the others”."""
    return _USER_MACRO.sub(OTHERS, _NAME_MACRO.sub(lambda _: name, text)).strip()


def scenario_of(persona: Persona) -> str:
    """The scenario of the card that ``persona`` was imported from, as a context; else empty."""
    return expanded(_text(_card_data(persona), "scenario"), persona.name)


def first_message_of(persona: Persona) -> str:
    """The first message of the card that ``persona`` was imported from; else empty."""
    return expanded(_text(_card_data(persona), "first_mes"), persona.name)


def card_v2(persona: Persona) -> dict[str, Any]:
    """``persona`` as a character card of version 2.

    If the persona was imported from a card, that card is exported with later changes. All fields
    are in ``extensions`` as well, so that an import restores them. A persona without a description
    gets one made from its fields.
    """
    data = dict(_card_data(persona))
    card: dict[str, Any] = {
        "name": "",
        "description": "",
        "personality": "",
        "scenario": "",
        "first_mes": "",
        "mes_example": "",
        "creator_notes": "",
        "system_prompt": "",
        "post_history_instructions": "",
        "alternate_greetings": [],
        "tags": [],
        "creator": "",
        "character_version": "",
        "extensions": {},
    }
    card |= {key: value for key, value in data.items() if key not in V3_ONLY}
    card |= {"name": persona.name, **_texts(persona, data)}
    fields = {key: value for key, value in persona.as_dict().items() if key != CHARACTER_CARD}
    extension: dict[str, Any] = {"persona": fields, "has_card": bool(data)}
    if newer := {key: data[key] for key in V3_ONLY if key in data}:
        extension["chara_card_v3"] = newer
    known = card["extensions"] if isinstance(card["extensions"], dict) else {}
    card["extensions"] = {**known, EXTENSION: extension}
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": card}


# Parts -------------------------------------------------------------------------------------------


def _data_of(value: Mapping[str, Any], where: object) -> tuple[dict[str, Any], list[str]]:
    """The card's fields, without large embedded assets, and notes about those."""
    data = value.get("data") if "spec" in value else value
    if not isinstance(data, dict):
        raise InputError(f"{where}: the card has no fields (“data” is not an object)")
    data, notes = dict(data), []
    assets = data.get("assets")
    if isinstance(assets, list):
        small = [each for each in assets if len(str(each)) <= LARGEST_ASSET]
        if len(small) < len(assets):
            data["assets"] = small
            notes.append("pictures embedded in the card are left out")
    return data, notes


def _card_data(persona: Persona) -> Mapping[str, Any]:
    card = (persona.model_extra or {}).get(CHARACTER_CARD)
    data = card.get("data") if isinstance(card, dict) else None
    return data if isinstance(data, dict) else {}


def _text(data: Mapping[str, Any], field: str) -> str:
    value = data.get(field)
    return value.strip() if isinstance(value, str) else ""


def _username(text: str) -> str:
    """``text`` made into a valid username: visible, on one line, not too long."""
    return one_line(text, MAX_NAME_LENGTH).replace("\N{REPLACEMENT CHARACTER}", "").strip()


def _instructions(data: Mapping[str, Any], name: str) -> str:
    texts = (_text(data, field) for field in ("system_prompt", "post_history_instructions"))
    parts = [expanded(_ORIGINAL_MACRO.sub("", text), name) for text in texts]
    return "\n\n".join(filter(None, parts))


def _lore(data: Mapping[str, Any], name: str) -> list[str]:
    """The enabled entries of the card's book in its order, without V3's ``@@decorators``."""
    book = data.get("character_book")
    entries = book.get("entries") if isinstance(book, dict) else None
    enabled = [
        entry
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
        and entry.get("enabled", True)
        and isinstance(entry.get("content"), str)
    ]
    enabled.sort(key=_insertion_order)
    lines = (
        "\n".join(line for line in entry["content"].splitlines() if not line.startswith("@@"))
        for entry in enabled
    )
    return [text for each in lines if (text := expanded(each, name))]


def _insertion_order(entry: Mapping[str, Any]) -> float:
    order = entry.get("insertion_order", 0)
    return order if isinstance(order, (int, float)) else 0


def _texts(persona: Persona, data: Mapping[str, Any]) -> dict[str, str]:
    """The card's texts for ``persona``; texts of ``data`` that still match are used unchanged."""
    fields, name = persona.as_dict(), persona.name
    texts = {}
    for source, field in TEXT_FIELDS.items():
        value = fields.get(field)
        original = data.get(source)
        if isinstance(original, str) and expanded(original, name) == (value or ""):
            texts[source] = original
        else:
            texts[source] = value if isinstance(value, str) else ""
    if not texts["description"]:
        texts["description"] = _described(persona)
    instructions = persona.special_instructions or ""
    if instructions != _instructions(data, name):
        texts |= {"system_prompt": instructions, "post_history_instructions": ""}
    return texts


def _described(persona: Persona) -> str:
    """The persona's fields as lines, for tools that only have a description."""
    shown = {"username", "special_instructions", CHARACTER_CARD, "lore", *TEXT_FIELDS.values()}
    lines = []
    for field, value in persona.attributes().items():
        if field not in shown and isinstance(value, (str, int, list)):
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(f"{field.replace('_', ' ')}: {text}")
    return "\n".join(lines)


def _exported_persona(data: dict[str, Any], where: object) -> dict[str, Any] | None:
    """The extension that ``card_v2`` wrote, taken out of ``data``; None if there is none."""
    extensions = data.get("extensions")
    if not isinstance(extensions, dict) or not isinstance(extensions.get(EXTENSION), dict):
        return None
    own: dict[str, Any] = extensions[EXTENSION]
    if not isinstance(own.get("persona"), dict):
        return None
    data["extensions"] = {key: each for key, each in extensions.items() if key != EXTENSION}
    if isinstance(own.get("chara_card_v3"), dict):
        data |= own["chara_card_v3"]
    validated(Persona, own["persona"], where)
    return own


def _merged(
    own: dict[str, Any],
    fields: dict[str, Any],
    card: dict[str, Any],
    data: Mapping[str, Any],
    where: object,
) -> Persona:
    """The exported persona, updated with the texts of the card that have changed since."""
    exported = validated(Persona, {**own["persona"], CHARACTER_CARD: card}, where)
    as_exported = card_v2(exported)["data"]
    values = dict(own["persona"])
    if data.get("name") != as_exported["name"]:
        values["username"] = fields["username"]
    for source, field in TEXT_FIELDS.items():
        if data.get(source) != as_exported[source]:
            values[field] = fields.get(field, "")
    sources = ("system_prompt", "post_history_instructions")
    if any(data.get(source) != as_exported[source] for source in sources):
        values["special_instructions"] = fields.get("special_instructions", "")
    if own.get("has_card"):
        values[CHARACTER_CARD] = card
    return validated(Persona, values, where)
