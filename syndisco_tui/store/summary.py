"""What a list shows of each discussion, read quickly from its file's JSON.

Files are checked as if they were opened, so that a list can say what is wrong with each.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

from ..discussion import HARDCODED, IMPORTED_FROM
from ..discussion.setup import join_names
from .inputs import MAX_DISCUSSION_BYTES, InputError, read_text
from .syndisco import content_id, started_at

FileStatus = Literal["running", "paused", "finished", "failed", "syndisco", "unreadable"]
"""What the file says of itself. It cannot say whether a running discussion still has a writer."""

OLDER_MARKS = {"speaks_as": "speaks_as", "went_on_as": "left_out"}
"""The kinds of marks that were keys of a message of their own in older files."""

MAX_EXCERPT = 600
"""Characters of the first and of the last message."""


@dataclass(frozen=True)
class Summary:
    """What a list shows of one saved discussion."""

    id: str
    status: FileStatus
    heading: str = ""
    started_at: str = ""
    names: tuple[str, ...] = ()
    moderator: str = ""
    model: str = ""
    turn: int = 0
    turns: int = 0
    messages: int = 0
    fork_of: str = ""
    """The parent's id."""
    seed: int = 0
    batch: str = ""
    """The batch's id; ``number`` of ``count`` is this discussion's place in it."""
    number: int = 0
    count: int = 0
    first: tuple[str, str] = ("", "")
    """Name and text of the first message."""
    last: tuple[str, str] = ("", "")
    own_format: bool = True
    """False for a file that SynDisco wrote."""
    error: str = ""
    """Why the file cannot be opened."""

    def to_text(self) -> str:
        """The summary as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Summary:
        """The summary that ``to_text`` wrote. Raises ValueError, TypeError or KeyError."""
        values = json.loads(text)
        for key in ("names", "first", "last"):
            values[key] = tuple(values[key])
        return cls(**values)


def summarize_file(path: Path) -> tuple[Summary, str]:
    """The summary of a file, and its words for searching, a line for each message. Never raises.

    Of a discussion that cannot be opened, what can be read is summarized.
    """
    from .discussion_format import (  # models that the first paint does not need
        A_DISCUSSION,
        checked,
    )

    value: object = None
    error = ""
    try:
        text = read_text(path, max_bytes=MAX_DISCUSSION_BYTES, expected=A_DISCUSSION)
        value = json.loads(text, parse_constant=_refuse_constant)
        checked(value, path)
    except json.JSONDecodeError as invalid:
        position = f"line {invalid.lineno}, column {invalid.colno}"
        error = f"{position}: not valid JSON" if text.strip() else "is empty"
    except (ValueError, RecursionError):
        error = "not valid JSON"
    except InputError as refusal:
        error = str(refusal).removeprefix(f"{path}: ")
    if not isinstance(value, dict) or not isinstance(value.get("logs"), list):
        return Summary("", "unreadable", heading=path.name, error=error), path.name
    summary = _summarize(value)
    if error:
        heading = summary.heading or path.name
        summary = replace(summary, status="unreadable", heading=heading, error=error)
    silences = _list(_dict(value.get("syndisco_tui")).get("silences"))
    return summary, _words(summary, value["logs"], silences)


def _refuse_constant(name: str) -> NoReturn:
    raise InputError(f"{name} is not a finite number")


def _summarize(value: dict[str, Any]) -> Summary:
    own = _dict(value.get("syndisco_tui"))
    setup = _dict(own.get("setup"))
    batch = _dict(own.get("batch"))
    logs = [_dict(log) for log in value["logs"]]
    moderator = _text(value.get("moderator"))
    users = [_text(name) for name in _list(value.get("users")) if _text(name) != moderator]
    names = tuple(users or dict.fromkeys(_text(log.get("name")) for log in logs))
    entries = [*logs, *map(_dict, _list(own.get("silences")))]
    turn = max((_number(entry.get("turn")) for entry in entries), default=0)
    if not own:
        turn = sum(
            log.get("model") != HARDCODED and _text(log.get("name")) != moderator for log in logs
        )
    models = [_text(log.get("model")) for log in logs if log.get("model") != HARDCODED]
    title = _text(own.get("title")) or _text(setup.get("title"))
    return Summary(
        id=_text(value.get("id")) or content_id(value),
        status=_status(own),
        heading=title or join_names((*names, moderator) if moderator else names),
        started_at=_text(own.get("started_at")) or started_at(_text(value.get("timestamp"))),
        names=names,
        moderator=moderator,
        model=_text(setup.get("model")) or next(iter(models), ""),
        turn=turn,
        turns=_number(setup.get("conv_len")) or turn,
        messages=len(logs),
        fork_of=_text(_dict(own.get("parent")).get("id")),
        seed=_number(setup.get("seed")),
        batch=_text(batch.get("id")),
        number=_number(batch.get("number")),
        count=_number(batch.get("count")),
        first=_excerpt(logs[0]) if logs else ("", ""),
        last=_excerpt(logs[-1]) if logs else ("", ""),
        own_format=bool(own),
    )


def _status(own: dict[str, Any]) -> FileStatus:
    is_imported = IMPORTED_FROM in _dict(own.get("engine")) and not own.get("parent")
    if not own or is_imported:
        return "syndisco"
    status = own.get("status")
    known: tuple[FileStatus, ...] = ("running", "paused", "finished", "failed")
    return next((each for each in known if each == status), "paused")


def _words(summary: Summary, logs: list[Any], silences: list[Any]) -> str:
    """Title, names and model, an empty line, and every message on a line of its own.

    After each message, and in the head those of silences, are its marks as ``mark:refusal``.
    """
    marks_of_silences = sorted({mark for each in silences for mark in _marks(_dict(each))})
    head = [summary.heading, *summary.names, summary.moderator, summary.model, *marks_of_silences]
    messages = (_dict(log) for log in logs)
    lines = (
        " ".join([f"{_text(each.get('name'))}: {_text(each.get('text'))}", *_marks(each)])
        for each in messages
    )
    return "\n".join([*filter(None, map(_on_one_line, head)), "", *map(_on_one_line, lines)])


def _marks(entry: dict[str, Any]) -> list[str]:
    """An entry's marks as searchable words."""
    kinds = [_text(_dict(mark).get("kind")) for mark in _list(entry.get("marks"))]
    kinds += [kind for key, kind in OLDER_MARKS.items() if entry.get(key)]
    return [f"mark:{kind}" for kind in kinds]


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _excerpt(log: dict[str, Any]) -> tuple[str, str]:
    return _text(log.get("name")), _text(log.get("text"))[:MAX_EXCERPT]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
