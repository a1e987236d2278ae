"""TinyTroupe's agents and fragments as personas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...discussion import Persona
from ...text import one_line
from ..file_kinds import TINYTROUPE_AGENT
from ..inputs import InputError, validated
from .converted import Content

MAPPING = (
    ("name", "username"),
    ("age", "age"),
    ("gender", "sex"),
    ("education", "education_level"),
    ("occupation", "current_employment"),
    ("personality.traits", "personality_characteristics"),
    ("everything else", "a field of the same name"),
)


def content_of_agent(
    value: Mapping[str, Any], where: object, fragments: tuple[Mapping[str, Any], ...] = ()
) -> Content:
    """The persona of an agent, into which the personas of ``fragments`` are merged.

    If agent and fragment differ, the agent's value is used; lists are joined. Raises InputError.
    """
    facts = _facts(value, where)
    for fragment in fragments:
        facts = merged(facts, _facts(fragment, where))
    name = one_line(str(facts.pop("name", "") or ""), 100).strip()
    fields: dict[str, Any] = {"username": name, "age": _age(facts.pop("age", None))}
    fields["sex"] = _pop_text(facts, "gender")
    fields["education_level"] = _pop_text(facts, "education")
    fields["current_employment"] = _occupation(facts)
    personality = facts.get("personality")
    traits = personality.get("traits") if isinstance(personality, dict) else None
    if isinstance(traits, list) and all(isinstance(each, str) for each in traits):
        fields["personality_characteristics"] = traits
        rest = {key: each for key, each in facts.pop("personality").items() if key != "traits"}
        facts |= {key: each for key, each in rest.items() if key not in facts}
    reserved = {key: each for key, each in facts.items() if key in Persona.model_fields}
    further = {key: each for key, each in facts.items() if key not in reserved}
    further |= {f"tinytroupe_{key}": each for key, each in reserved.items()}
    persona = validated(Persona, {**fields, **further}, where)
    return Content(TINYTROUPE_AGENT, personas=(persona,), mapping=MAPPING)


def merged(facts: Mapping[str, Any], fragment: Mapping[str, Any]) -> dict[str, Any]:
    """``facts`` with the further keys and list entries of ``fragment``."""
    result = dict(facts)
    for key, addition in fragment.items():
        present = result.get(key)
        if key not in result or present in (None, "", [], {}):
            result[key] = addition
        elif isinstance(present, dict) and isinstance(addition, dict):
            result[key] = merged(present, addition)
        elif isinstance(present, list) and isinstance(addition, list):
            result[key] = present + [each for each in addition if each not in present]
    return result


def _facts(value: Mapping[str, Any], where: object) -> dict[str, Any]:
    facts = value.get("persona")
    if not isinstance(facts, dict):
        raise InputError(f"{where}: the agent has no persona (“persona” is not an object)")
    return dict(facts)


def _age(value: object) -> int | str | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) else None


def _pop_text(facts: dict[str, Any], key: str) -> str:
    """Remove and return a text; other values stay."""
    return str(facts.pop(key)) if isinstance(facts.get(key), str) else ""


def _occupation(facts: dict[str, Any]) -> str:
    """The occupation's title and organization as text; a description becomes a further field."""
    occupation = facts.get("occupation")
    if isinstance(occupation, str):
        return str(facts.pop("occupation"))
    if not isinstance(occupation, dict):
        return ""
    title, organization = (
        occupation.get(key) if isinstance(occupation.get(key), str) else ""
        for key in ("title", "organization")
    )
    del facts["occupation"]
    rest = {key: value for key, value in occupation.items() if key not in ("title", "organization")}
    if list(rest) == ["description"]:
        facts["occupation_description"] = rest["description"]
    elif rest:
        facts["occupation"] = rest
    return " at ".join(part.strip() for part in (title or "", organization or "") if part.strip())
