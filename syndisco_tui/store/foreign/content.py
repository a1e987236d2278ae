"""Reads any file that can be imported, recognized by its content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...discussion import IMPORTED_FROM, DiscussionRecord, DiscussionSetup
from ...text import one_line
from ..discussion_format import from_json
from ..file_kinds import (
    CARD_V1,
    CARD_V2,
    CARD_V3,
    CHARX,
    CONVOKIT,
    DISCUSSIONS,
    PERSONA_HUB,
    PERSONA_LIST,
    PERSONA_TABLE,
    PERSONAS,
    PNG_CARD,
    SILLYTAVERN_CHAT,
    TINYTROUPE_AGENT,
    TINYTROUPE_FRAGMENT,
    Kind,
    binary_kind,
    json_kind,
    refusal_of,
    text_kind,
)
from ..inputs import (
    MAX_DISCUSSION_BYTES,
    InputError,
    decoded,
    parse_json,
    parse_json_file,
    read_bytes,
    validated,
)
from ..persona_table import parse_table
from ..personas import is_table, personas_of
from ..syndisco import UNKNOWN_START
from . import cards, convokit, persona_hub, sillytavern, tinytroupe
from .card_files import card_in_archive, card_in_picture
from .converted import Content

IMPORTABLE = (
    "a discussion (SynDisco, ConvoKit, SillyTavern) or personas (a list, a table, character cards, "
    "TinyTroupe, Persona Hub)"
)
"""How a sentence calls the files that can be imported."""
SUFFIXES = (".json", ".jsonl", ".csv", ".tsv", ".tab", ".png", ".apng", ".charx")
"""Of the files that are looked at in a folder."""
_CARDS = (CARD_V1, CARD_V2, CARD_V3)
_LINES = (SILLYTAVERN_CHAT, CONVOKIT, PERSONA_HUB)


def read_content(path: Path, fragments: tuple[Mapping[str, Any], ...] = ()) -> Content:
    """Read a file that can be imported.

    ``fragments`` are TinyTroupe's, to be merged into an agent. Raises InputError if the file cannot
    be read, or is of another kind, which the message names.
    """
    content = read_bytes(path, max_bytes=MAX_DISCUSSION_BYTES, expected=IMPORTABLE)
    kind = binary_kind(content)
    if kind in (PNG_CARD, CHARX):
        read_card = card_in_picture if kind is PNG_CARD else card_in_archive
        return _of_json(parse_json(read_card(content, path), path), path, ())
    if kind:
        raise InputError(refusal_of(path, kind, IMPORTABLE))
    text = decoded(content, path)
    kind = text_kind(text)
    if kind in _LINES:
        return _of_lines(kind, text, path)
    if is_table(text, path):
        return Content(PERSONA_TABLE, personas=tuple(parse_table(text, path)))
    return _of_json(parse_json_file(text, path, IMPORTABLE), path, fragments)


def fragment_in(path: Path) -> Mapping[str, Any] | None:
    """The TinyTroupe fragment in a file; None if there is none or it cannot be read."""
    try:
        content = read_bytes(path, expected=IMPORTABLE)
        value = None if binary_kind(content) else parse_json(decoded(content, path), path)
    except InputError:
        return None  # said when the file itself is imported
    is_fragment = json_kind(value) is TINYTROUPE_FRAGMENT
    return value if is_fragment and isinstance(value, dict) else None


def _of_json(value: Any, path: Path, fragments: tuple[Mapping[str, Any], ...]) -> Content:
    kind = json_kind(value)
    if kind in DISCUSSIONS:
        return Content(kind, discussions=(converted(value, path),))
    if kind in (*_CARDS, TINYTROUPE_AGENT, PERSONA_HUB):
        return _joined([_one(each, kind, path, fragments) for each in _objects(value, path)])
    if kind is TINYTROUPE_FRAGMENT:
        raise InputError(
            f"{path}: this is {kind.name}; import it by name together with the agent it belongs to"
        )
    if kind is CONVOKIT:
        return convokit.content_of_corpus(_objects(value, path), path)
    if kind and kind not in PERSONAS:
        raise InputError(refusal_of(path, kind, IMPORTABLE))
    if kind or isinstance(value, list):
        return Content(PERSONA_LIST, personas=tuple(personas_of(value, path)))
    raise InputError(f"{path}: holds neither a discussion nor personas")


def _one(
    value: Mapping[str, Any], kind: Kind, path: Path, fragments: tuple[Mapping[str, Any], ...]
) -> Content:
    if kind is TINYTROUPE_AGENT:
        return tinytroupe.content_of_agent(value, path, fragments)
    if kind is PERSONA_HUB:
        return persona_hub.content_of_lines([value], path)
    return cards.content_of_card(value, path, kind, path.stem)


def _joined(contents: list[Content]) -> Content:
    """Join several contents of one kind."""
    first = contents[0]
    return Content(
        first.kind,
        personas=tuple(persona for each in contents for persona in each.personas),
        mapping=first.mapping,
        notes=tuple(note for each in contents for note in each.notes),
    )


def _of_lines(kind: Kind, text: str, path: Path) -> Content:
    lines = _json_lines(text, path)
    if kind is CONVOKIT:
        return convokit.content_of_corpus(lines, path)
    if kind is SILLYTAVERN_CHAT:
        return sillytavern.content_of_chat(lines, path, path.stem)
    return persona_hub.content_of_lines(lines, path)


def _json_lines(text: str, path: Path) -> Iterator[dict[str, Any]]:
    """The objects on the lines that are not blank. Raises InputError, which names the line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            value = parse_json(line, f"{path}: line {number}")
            if not isinstance(value, dict):
                raise InputError(f"{path}: line {number}: is not an object with fields")
            yield value


def _objects(value: Any, path: Path) -> list[dict[str, Any]]:
    values = value if isinstance(value, list) else [value]
    for number, each in enumerate(values, start=1):
        if not isinstance(each, dict):
            raise InputError(f"{path}: entry {number} is not an object with fields")
    return values


def converted(value: dict[str, Any], path: Path) -> DiscussionRecord:
    """A discussion file's value as a record. Raises InputError.

    SynDisco's discussions are titled by their folder and file, and their origin is recorded.
    Without a start time, that of the file is used.
    """
    record = from_json(value, path)
    if "syndisco_tui" in value:
        return record
    version = "2.0" if "users" in value else "2.2"
    started_at = record.started_at
    if started_at == UNKNOWN_START:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        started_at = changed.isoformat(timespec="seconds")
    return replace(
        record,
        setup=validated(DiscussionSetup, record.setup.model_dump(), path),
        started_at=started_at,
        title=one_line(f"{path.absolute().parent.name}/{path.stem}", 100),
        engine={IMPORTED_FROM: f"SynDisco {version}"},
    )
