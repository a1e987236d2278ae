"""How the rows of the library are drawn: a sign, a heading and a date, and figures below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from ...discussion.setup import join_names
from ...text import counted, one_line
from ...workspace.library import LibraryEntry, ranges_of
from ..shell.local_time import local_time
from .rows import DiscussionStatus, Group

INDENT = 2
"""Cells by which a discussion is indented below its batch."""


def date_of(entry: LibraryEntry, today: datetime) -> str:
    """When it began, in local time: the hour today, the day this year, else the year too."""
    started = local_time(entry.summary.started_at)
    if started is None:
        return ""
    if started.date() == today.date():
        return f"{started:%H:%M}"
    day = f"{started.day} {started:%b}"
    return day if started.year == today.year else f"{day} {started.year}"


def draw_discussion(
    entry: LibraryEntry,
    status: DiscussionStatus,
    width: int,
    today: datetime,
    *,
    is_highlighted: bool,
    is_member: bool = False,
    match: tuple[str, str] = ("", ""),
) -> tuple[Content, Content]:
    """The two lines of a discussion's row, each at most ``width`` cells.

    ``is_member``: it is indented below its batch. ``match`` is a message that has the filter's
    words, and these.
    """
    if is_member:
        width -= INDENT
    first = _first_line(
        Content.styled(f"{status.sign} ", status.style),
        number_in_batch(entry) if is_member else one_line(entry.summary.heading, 200),
        date_of(entry, today),
        width,
        is_highlighted=is_highlighted,
    )
    second = _second_line(entry, status, match)
    lines = first, second.truncate(width, ellipsis=True)
    if not is_member:
        return lines
    return Content.assemble(" " * INDENT, lines[0]), Content.assemble(" " * INDENT, lines[1])


def _first_line(
    sign: Content, heading: str, date: str, width: int, *, is_highlighted: bool
) -> Content:
    room = max(4, width - 4 - len(date))
    shown = Content.styled(heading, "bold" if is_highlighted else "").truncate(room, ellipsis=True)
    gap = " " * max(1, width - 2 - shown.cell_length - len(date))
    line = Content.assemble(sign, shown, gap, Content.styled(date, "$quiet"))
    return line.truncate(width, ellipsis=True)


def number_in_batch(entry: LibraryEntry) -> str:
    """Its number and seed, as in “2 of 4   seed 1”."""
    summary = entry.summary
    return f"{summary.number} of {summary.count}   seed {summary.seed}"


def matching_line_of(line: str, words: str) -> Content:
    """A message in which ``words`` are emphasized."""
    shown = one_line(line, 240)
    content = Content.styled(shown, "$quiet")
    for start, end in ranges_of(shown, words):
        content = content.stylize("bold $accent", start, end)
    return content


def draw_group(
    group: Group,
    statuses: Sequence[DiscussionStatus],
    width: int,
    today: datetime,
    *,
    is_highlighted: bool,
) -> tuple[Content, Content]:
    """The two lines of a batch's row."""
    newest = group.newest
    sign = Content.styled("▾ " if group.is_open else "▸ ", "$accent")
    heading = one_line(newest.summary.heading, 200)
    date = date_of(newest, today)
    first = _first_line(sign, heading, date, width, is_highlighted=is_highlighted)
    running = any(status.is_in_batch for status in statuses)
    parts = [f"{group.finished} of {group.count} finished"]
    parts += [one_line(newest.summary.model.rpartition("/")[2], 30), names_of(newest)]
    second = Content.assemble(
        "  ",
        Content.styled("batch", "$accent" if running else ""),
        Content.styled(" · running" if running else "", "$accent"),
        Content.styled("".join(f" · {part}" for part in parts if part), "$quiet"),
    )
    return first, second.truncate(width, ellipsis=True)


def _second_line(entry: LibraryEntry, status: DiscussionStatus, match: tuple[str, str]) -> Content:
    summary = entry.summary
    if match[0]:
        return Content.assemble("  ", matching_line_of(*match))
    if summary.error:
        return Content.styled(f"  {one_line(summary.error)}", "$quiet")
    parts = [status.word, turns_of(entry)]
    parts += ["fork"] if summary.fork_of else []
    parts += [one_line(summary.model.rpartition("/")[2], 30), names_of(entry)]
    return Content.assemble(
        "  ",
        Content.styled(parts[0], status.style if status.style != "$foreground" else ""),
        Content.styled("".join(f" · {part}" for part in parts[1:] if part), "$quiet"),
    )


def turns_of(entry: LibraryEntry) -> str:
    """How many turns it has, or which it has reached."""
    summary = entry.summary
    if summary.status in ("finished", "syndisco") or not summary.turns:
        return counted(summary.turn, "turn")
    return f"turn {summary.turn} of {summary.turns}"


def names_of(entry: LibraryEntry) -> str:
    """The users' names in one phrase."""
    return join_names([one_line(name, 24) for name in entry.summary.names])
