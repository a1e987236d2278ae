"""Markdown: a transcript to publish, in which no text becomes markup."""

from __future__ import annotations

import re
from datetime import datetime

from ...analysis.compare import setup_differences
from ...discussion import DiscussionRecord, Message, Persona
from ...discussion.participants import participants
from ...text import safe

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~&!$^=]")
_LINK = re.compile(r":(?=//)|(?<=mailto):|(?<=xmpp):|(?<=\w)\.(?=[^\W\d])|@", re.IGNORECASE)
_MAX_CHARACTERS = 10_000
"""Of a field of the setup."""


def as_markdown(record: DiscussionRecord) -> str:
    """Title, participants, setup and transcript of the discussion (CommonMark with tables)."""
    parts = [f"# {_cell(record.heading)}", "## Participants", _participants(record)]
    parts += ["## Setup", _setup_table(record), "## Transcript"]
    changed, several_models = _setup_changes(record), len(record.models) > 1
    for index, entry in enumerate(record.entries):
        parts += [*changed.get(index, ()), _message(entry, names_model=several_models)]
    if not record.entries:
        parts.append("*No messages yet.*")
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """``text`` so that Markdown shows it literally, except for the indentation of its lines."""
    lines = [line.strip() for line in safe(text).split("\n")]
    return "\n".join(_escaped_line(line) for line in lines)


def _escaped_line(line: str) -> str:
    line = _MARKUP.sub(r"\\\g<0>", line)
    line = _LINK.sub(r"\\\g<0>", line)
    numbered = re.match(r"(\d{1,9})([.)].*)", line, re.DOTALL)
    if numbered:
        return f"{numbered[1]}\\{numbered[2]}"
    return f"\\{line}" if line.startswith(("-", "+")) else line


def _participants(record: DiscussionRecord) -> str:
    users, moderator = participants(record)
    people = [_participant(user.persona) for user in users]
    if moderator:
        people.append(f"{_participant(moderator.persona)} *(moderator)*")
    return "\n".join(people) or "*Nobody.*"


def _participant(persona: Persona) -> str:
    fields = []
    for field, value in persona.attributes().items():
        if field != "username":
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            fields.append(f"{field.replace('_', ' ')}: {shown}")
    name = f"- **{_cell(persona.name)}**"
    return f"{name}. {_cell('; '.join(fields))}" if fields else name


def _setup_table(record: DiscussionRecord) -> str:
    rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in _setup_rows(record) if value]
    return "\n".join(["| | |", "|---|---|", *rows])


def _setup_rows(record: DiscussionRecord) -> list[tuple[str, str]]:
    setup, engine = record.setup, record.engine
    history = setup.history_context_len
    rows = [
        ("Started", _date(record.started_at)),
        ("Model", _model(record)),
        *_participant_models(record),
        ("Turns", f"{record.turns_taken} of {setup.conv_len}"),
        ("Context", setup.context),
        ("Instructions", setup.instructions),
        *((f"Instructions of {name}", own) for name, own in setup.own_instructions.items()),
        ("Moderator instructions", setup.moderator_instructions if setup.moderator else ""),
        ("History", "all messages" if history is None else f"{history} messages"),
    ]
    if record.is_foreign:  # SynDisco's files do not say more
        return rows
    weighted = f" (p_respond {setup.p_respond:g})" if setup.turn_manager == "RandomWeighted" else ""
    sampling = (
        f"temperature {setup.temperature:g}, top-p {setup.top_p:g}, top-k {setup.top_k}, "
        f"repetition penalty {setup.repetition_penalty:g}, at most {setup.max_out_tokens} tokens"
    )
    numerics = ", ".join(str(engine[key]) for key in ("device", "dtype") if engine.get(key))
    return [
        *rows,
        ("Turn manager", f"{setup.turn_manager}{weighted}"),
        ("Prompt style", setup.prompt_style),
        ("Sampling", sampling),
        ("Seed", str(setup.seed)),
        ("Forked from", record.parent.id if record.parent else ""),
        ("Computed on", numerics),
    ]


def _model(record: DiscussionRecord) -> str:
    name, revision = (str(record.engine.get(key) or "") for key in ("name", "revision"))
    return f"{name or record.setup.model}{f', revision {revision}' if revision else ''}"


def _participant_models(record: DiscussionRecord) -> list[tuple[str, str]]:
    """Rows for those who have another model than the setup's."""
    engines = record.engine.get("participants", {})
    rows: list[tuple[str, str]] = []
    for name in record.setup.names:
        if record.setup.model_entry(name):
            own, engine = record.setup.with_model_of(name), engines.get(name, {})
            model = str(engine.get("name") or own.model)
            rows.append((f"Model of {name}", ", ".join((model, *own.server))))
    return rows


def _setup_changes(record: DiscussionRecord) -> dict[int, list[str]]:
    """By index, notes before an entry about changes of the setup."""
    setups = [*(each.setup for each in record.earlier_setups), record.setup]
    notes: dict[int, list[str]] = {}
    for each, after in zip(record.earlier_setups, setups[1:], strict=True):
        for difference in setup_differences(each.setup, after):
            change = f"{difference.field}: {difference.a} → {difference.b}"
            notes.setdefault(each.length, []).append(f"*From here on: {_cell(change)}.*")
    return notes


def _date(started_at: str) -> str:
    return f"{datetime.fromisoformat(started_at):%Y-%m-%d %H:%M} UTC"


def _cell(text: str) -> str:
    """``text`` on one line of the file; its line breaks become ``<br>``."""
    lines = [line for line in escaped(text[:_MAX_CHARACTERS].strip()).split("\n") if line]
    return "<br>".join(lines)


_ROLES = {"moderator": "moderator", "seed": "seed opinion", "human": "human"}


def _message(entry: Message, *, names_model: bool = False) -> str:
    tags = []
    if entry.role in _ROLES and entry.name.lower() != _ROLES[entry.role]:
        tags.append(_ROLES[entry.role])
    if entry.role == "user" and entry.turn:
        tags.append(f"turn {entry.turn}")
    if names_model and entry.is_prompted:
        tags.append(_cell(entry.model))
    if entry.speaker_overridden:
        tags.append("chosen by a person to speak next")
    tags += [_cell(note) for note in entry.mark_labels]
    if entry.is_edited:
        tags.append("edited by a person")
    header = " · ".join([f"**{_cell(entry.name)}**", *tags])
    if entry.is_silence:
        return f"{header} · *stays silent*"
    cut = " […]" if entry.is_cut else ""
    return f"{header}\n\n{_quoted(entry.text.rstrip() + cut)}"


def _quoted(text: str) -> str:
    """A block quotation in which every line ends in a hard break."""
    lines = escaped(text.strip()).split("\n")
    quoted = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        hard_break = "\\" if line and following else ""
        quoted.append(f"> {line}{hard_break}".rstrip())
    return "\n".join(quoted)
