"""What a list of discussions shows of each: read from the file's JSON, quickly.

Each file is checked as it is when it is opened: what cannot be opened is listed with its fault.
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
"""What the file says of itself. Whether a running one has a writer still is not in the file."""

LONGEST_WORDS = 600
"""Characters kept of the first and of the last message."""


@dataclass(frozen=True)
class Summary:
    """One saved discussion. ``fork_of`` is the id of the one it was forked from."""

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
    seed: int = 0
    batch: str = ""
    """The id of the batch that it belongs to, with its number there, and how many they are."""
    number: int = 0
    count: int = 0
    first: tuple[str, str] = ("", "")
    """Name and text of the first message."""
    last: tuple[str, str] = ("", "")
    own_format: bool = True
    """False for a file as SynDisco wrote it."""
    error: str = ""

    def to_text(self) -> str:
        """As JSON, to be kept."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Summary:
        """What ``to_text`` gave. Raises ValueError, TypeError or KeyError for anything else."""
        values = json.loads(text)
        for key in ("names", "first", "last"):
            values[key] = tuple(values[key])
        return cls(**values)


def summarize_file(path: Path) -> tuple[Summary, str]:
    """The summary of a file, and all its words in lower case, to be searched. Never raises.

    A discussion that cannot be opened is summarised as far as it goes, with its fault.
    """
    from .discussion_format import (  # with the shapes, which the first picture needs not
        A_DISCUSSION,
        checked,
    )

    value: object = None
    message = ""
    try:
        text = read_text(path, max_bytes=MAX_DISCUSSION_BYTES, expected=A_DISCUSSION)
        value = json.loads(text, parse_constant=_refuse_constant)
        checked(value, path)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, column {error.colno}: "
        message = f"{line}not valid JSON" if text.strip() else "is empty"
    except (ValueError, RecursionError):
        message = "not valid JSON"
    except InputError as error:
        message = str(error).removeprefix(f"{path}: ")
    if not isinstance(value, dict) or not isinstance(value.get("logs"), list):
        return Summary("", "unreadable", heading=path.name, error=message), path.name
    summary = _summary(value)
    if message:
        heading = summary.heading or path.name
        summary = replace(summary, status="unreadable", heading=heading, error=message)
    return summary, _words(summary, value["logs"])


def _refuse_constant(name: str) -> NoReturn:
    raise InputError(f"{name} is not a finite number")


def _summary(value: dict[str, Any]) -> Summary:
    own = _table(value.get("syndisco_tui"))
    setup = _table(own.get("setup"))
    batch = _table(own.get("batch"))
    logs = [_table(log) for log in value["logs"]]
    is_own = bool(own)
    is_fork = bool(own.get("parent"))  # and so is ours, whatever it is a fork of
    is_imported = not is_fork and IMPORTED_FROM in _table(own.get("engine"))
    own_status = own.get("status")
    status: FileStatus = "paused"
    if not is_own or is_imported:
        status = "syndisco"
    elif own_status in ("running", "paused", "finished", "failed"):
        status = own_status
    moderator = _text(value.get("moderator"))
    users = [_text(name) for name in _list(value.get("users")) if _text(name) != moderator]
    names = tuple(users or dict.fromkeys(_text(log.get("name")) for log in logs))
    entries = [*logs, *map(_table, _list(own.get("silences")))]
    turn = max((_number(entry.get("turn")) for entry in entries), default=0)
    if not is_own:
        turn = sum(
            log.get("model") != HARDCODED and _text(log.get("name")) != moderator for log in logs
        )
    models = [_text(log.get("model")) for log in logs if log.get("model") != HARDCODED]
    title = _text(own.get("title")) or _text(setup.get("title"))
    return Summary(
        id=_text(value.get("id")) or content_id(value),
        status=status,
        heading=title or join_names((*names, moderator) if moderator else names),
        started_at=_text(own.get("started_at")) or started_at(_text(value.get("timestamp"))),
        names=names,
        moderator=moderator,
        model=_text(setup.get("model")) or next(iter(models), ""),
        turn=turn,
        turns=_number(setup.get("conv_len")) or turn,
        messages=len(logs),
        fork_of=_text(_table(own.get("parent")).get("id")),
        seed=_number(setup.get("seed")),
        batch=_text(batch.get("id")),
        number=_number(batch.get("number")),
        count=_number(batch.get("count")),
        first=_said(logs[0]) if logs else ("", ""),
        last=_said(logs[-1]) if logs else ("", ""),
        own_format=is_own,
    )


def _words(summary: Summary, logs: list[Any]) -> str:
    """Title, names and model, an empty line, and every message on a line of its own."""
    head = [summary.heading, *summary.names, summary.moderator, summary.model]
    said = (_table(log) for log in logs)
    lines = (f"{_text(log.get('name'))}: {_text(log.get('text'))}" for log in said)
    return "\n".join([*filter(None, map(_joined, head)), "", *map(_joined, lines)])


def _joined(text: str) -> str:
    return " ".join(text.split())


def _said(log: dict[str, Any]) -> tuple[str, str]:
    return _text(log.get("name")), _text(log.get("text"))[:LONGEST_WORDS]


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
