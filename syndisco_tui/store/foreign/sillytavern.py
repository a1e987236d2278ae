"""SillyTavern's chats (JSON lines) as discussions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ...discussion import Message
from ...text import counted
from ..file_kinds import SILLYTAVERN_CHAT
from ..inputs import InputError
from .converted import Content
from .threads import speaker_name, thread_record, time_of

UNKNOWN_MODEL = "unknown"
MAPPING = (
    ("name", "username"),
    ("mes", "message; a person's where is_user"),
    ("extra.reasoning", "reasoning"),
    ("extra.model", "model"),
    ("swipes", "left out but for the one shown"),
)
_DATE_FORMATS = (
    "%B %d, %Y %I:%M%p",
    "%Y-%m-%d @%Hh %Mm %Ss %fms",
    "%Y-%m-%d@%Hh%Mm%Ss",
)


def content_of_chat(lines: Iterable[Mapping[str, Any]], where: object, title: str) -> Content:
    """The discussion of a chat. Its first line may be a header, which holds no message.

    Hidden system lines and unused alternatives are left out; ``notes`` say so. Raises InputError,
    which begins with ``where``.
    """
    messages: list[Message] = []
    names: dict[str, str] = {}
    hidden = swipes = turn = 0
    for number, line in enumerate(lines, start=1):
        if "mes" not in line:
            if number == 1:
                continue  # the header
            raise InputError(f"{where}: line {number}: has no message under “mes”")
        if line.get("is_system"):
            hidden += 1
            continue
        text, name = line["mes"], str(line.get("name", ""))
        if not isinstance(text, str):
            raise InputError(f"{where}: line {number}: the message is not a text")
        if not text.strip():
            continue
        if isinstance(line.get("swipes"), list):
            swipes += max(0, len(line["swipes"]) - 1)
        username = names.setdefault(name, speaker_name(name, len(names) + 1))
        time = _time(line.get("send_date"))
        if line.get("is_user"):
            messages.append(Message(name=username, text=text, role="human", created_at=time))
            continue
        turn += 1
        extra = line.get("extra") if isinstance(line.get("extra"), Mapping) else {}
        messages.append(_reply(username, text, turn, time, extra or {}))
    notes = []
    if hidden:
        notes.append(f"{counted(hidden, 'hidden system line')} left out")
    if swipes:
        notes.append(f"{counted(swipes, 'alternative')} that nobody chose left out")
    record = thread_record(messages, tool="SillyTavern", where=where, title=title)
    return Content(SILLYTAVERN_CHAT, discussions=(record,), mapping=MAPPING, notes=tuple(notes))


def _reply(name: str, text: str, turn: int, time: str, extra: Mapping[str, Any]) -> Message:
    model, reasoning = extra.get("model"), extra.get("reasoning")
    return Message(
        name=name,
        text=text,
        role="user",
        turn=turn,
        model=model if isinstance(model, str) and model else UNKNOWN_MODEL,
        reasoning=reasoning if isinstance(reasoning, str) else "",
        created_at=time,
    )


def _time(value: object) -> str:
    """A message's time in ISO 8601, in UTC if no zone is given; empty if unknown."""
    if not isinstance(value, str):
        is_milliseconds = isinstance(value, (int, float)) and value > 1e11
        return time_of(value / 1000 if is_milliseconds else value)  # type: ignore[operator]
    text = re.sub(r"\s+", " ", value.strip())
    for date_format in _DATE_FORMATS:
        try:
            return datetime.strptime(text, date_format).replace(tzinfo=UTC).isoformat()
        except ValueError:
            continue
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).isoformat()
