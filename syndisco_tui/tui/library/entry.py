"""How a saved discussion is told of: its state in a sign and a word, its date, its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.cells import cell_len
from textual.content import Content

from ...discussion.setup import join_names
from ...text import one_line, safe
from ...workspace.folders import abbreviate_home
from ...workspace.library import LibraryEntry, ranges_of
from ..shell.local_time import local_time
from .rows import Group

LABEL_WIDTH, VALUE_WIDTH = 11, 29
INDENT = 2
"""Cells by which a discussion stands below its batch."""
WORDS_SHOWN = 280
"""Characters of the first and of the last message in the preview."""


@dataclass(frozen=True)
class DiscussionStatus:
    """Where a discussion stands now, and what can be done with it."""

    sign: str
    word: str
    style: str = "$quiet"
    is_here: bool = False
    is_elsewhere: bool = False
    """Somebody else writes it: another syndisco-tui, or the batch that is running."""
    is_in_batch: bool = False
    can_go_on: bool = False
    can_be_read: bool = True

    @classmethod
    def of(
        cls, entry: LibraryEntry, open_here: Path | None, open_in_batch: Collection[Path] = ()
    ) -> DiscussionStatus:
        """``open_here`` is the laboratory's file, ``open_in_batch`` are those of its batch."""
        status = entry.summary.status
        if status == "unreadable":
            return cls("!", "cannot be read", "$error", can_be_read=False)
        if entry.path == open_here:
            return cls("●", f"open here, {status}", "$accent", is_here=True)
        if entry.path in open_in_batch:
            return cls("●", "running in the batch", "$accent", is_elsewhere=True, is_in_batch=True)
        if entry.has_writer:
            word = "running elsewhere" if status == "running" else "open elsewhere"
            return cls("●", word, "$accent", is_elsewhere=True)
        if status == "syndisco":
            return cls("·", "SynDisco's")
        if status == "finished":
            return cls("✓", "finished")
        word = "interrupted" if status == "running" else status
        return cls("○", word, "$foreground", can_go_on=True)


def date_of(entry: LibraryEntry, now: datetime) -> str:
    """When it began, in local time: the hour today, the day this year, else the year too."""
    started = local_time(entry.summary.started_at)
    if started is None:
        return ""
    if started.date() == now.date():
        return f"{started:%H:%M}"
    day = f"{started.day} {started:%b}"
    return day if started.year == now.year else f"{day} {started.year}"


def draw_discussion(
    entry: LibraryEntry,
    status: DiscussionStatus,
    width: int,
    now: datetime,
    *,
    is_highlighted: bool,
    is_member: bool = False,
    match: tuple[str, str] = ("", ""),
) -> tuple[Content, Content]:
    """The two lines of a list's row, each at most ``width`` cells.

    ``is_member``: it stands below its batch. ``match`` is a message and the words looked for.
    """
    if is_member:
        width -= INDENT
    first = _first_line(
        Content.styled(f"{status.sign} ", status.style),
        _number_in_batch(entry) if is_member else one_line(entry.summary.heading, 200),
        date_of(entry, now),
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


def _number_in_batch(entry: LibraryEntry) -> str:
    summary = entry.summary
    return f"{summary.number} of {summary.count}   seed {summary.seed}"


def matching_line_of(line: str, words: str) -> Content:
    """A message that was found, with what matched in it emphasized."""
    shown = one_line(line, 240)
    content = Content.styled(shown, "$quiet")
    for start, end in ranges_of(shown, words):
        content = content.stylize("bold $accent", start, end)
    return content


def draw_group(
    group: Group,
    statuses: Sequence[DiscussionStatus],
    width: int,
    now: datetime,
    *,
    is_highlighted: bool,
) -> tuple[Content, Content]:
    """The two lines of a batch's row."""
    newest = group.newest
    sign = Content.styled("▾ " if group.is_open else "▸ ", "$accent")
    heading = one_line(newest.summary.heading, 200)
    date = date_of(newest, now)
    first = _first_line(sign, heading, date, width, is_highlighted=is_highlighted)
    running = any(status.is_in_batch for status in statuses)
    parts = [f"{group.finished} of {group.count} finished"]
    parts += [one_line(newest.summary.model.rpartition("/")[2], 30), _names(newest)]
    second = Content.assemble(
        "  ",
        Content.styled("batch", "$accent" if running else ""),
        Content.styled(" · running" if running else "", "$accent"),
        Content.styled("".join(f" · {part}" for part in parts if part), "$quiet"),
    )
    return first, second.truncate(width, ellipsis=True)


def group_preview(group: Group, statuses: Sequence[DiscussionStatus]) -> Content:
    """A batch: how far it is, its seeds, and where its files are."""
    newest = group.newest.summary
    words = Counter(status.word for status in statuses)
    missing = group.count - len(group.entries)
    seeds = sorted(entry.summary.seed for entry in group.entries)
    facts = [
        *((str(count), word) for word, count in words.items()),
        *([(str(missing), "not started")] if missing else []),
    ]
    lines = [
        Content.styled(one_line(newest.heading, 200), "bold $accent"),
        Content(f"Batch of {group.count} discussions"),
        Content(""),
        *_fact_lines([("state", "\n".join(f"{count} {word}" for count, word in facts))]),
        *_fact_lines(
            [("seeds", f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}")]
        ),
        *_fact_lines([("users", _names(group.newest)), ("model", one_line(newest.model, 120))]),
        *_fact_lines([("started", _whole_date(group.newest))]),
        *_file_lines(group.newest.path.parent, "Folder"),
    ]
    return Content("\n").join(lines)


def _second_line(entry: LibraryEntry, status: DiscussionStatus, match: tuple[str, str]) -> Content:
    summary = entry.summary
    if match[0]:
        return Content.assemble("  ", matching_line_of(*match))
    if summary.error:
        return Content.styled(f"  {one_line(summary.error)}", "$quiet")
    parts = [status.word, _turns(entry)]
    parts += ["fork"] if summary.fork_of else []
    parts += [one_line(summary.model.rpartition("/")[2], 30), _names(entry)]
    return Content.assemble(
        "  ",
        Content.styled(parts[0], status.style if status.style != "$foreground" else ""),
        Content.styled("".join(f" · {part}" for part in parts[1:] if part), "$quiet"),
    )


def preview_of(
    entry: LibraryEntry,
    status: DiscussionStatus,
    colours: dict[str, str],
    match: tuple[str, str] = ("", ""),
) -> Content:
    """Who, what and when, the first words and the last, and where the file is.

    ``match`` is a message and the words looked for.
    """
    summary = entry.summary
    lines = [Content.styled(one_line(summary.heading, 200), "bold $accent")]
    if summary.error:
        error = [Content(""), Content(safe(summary.error))]
        return Content("\n").join([*lines, *error, *_file_lines(entry.path)])
    lines += [Content.styled(status.word, status.style), Content("")]
    if match[0]:
        lines += [matching_line_of(*match), Content("")]
    number = _number_in_batch(entry) if summary.batch else ""
    facts = [
        ("users", _names(entry)),
        ("moderator", one_line(summary.moderator, 60)),
        ("model", one_line(summary.model, 120)),
        ("turns", _turns(entry)),
        ("messages", str(summary.messages)),
        ("started", _whole_date(entry)),
        ("batch", number),
        ("forked", "from another discussion" if summary.fork_of else ""),
    ]
    lines += _fact_lines(facts)
    said = [summary.first] if summary.messages else []
    said += [summary.last] if summary.messages > 1 else []
    for index, (name, text) in enumerate(said):
        if index and summary.messages > 2:
            lines += [Content(""), Content.styled("…", "$quiet")]
        shown = one_line(name, 40)
        lines += [Content(""), Content.styled(shown, f"bold {colours.get(name, '$foreground')}")]
        lines.append(Content(one_line(text, WORDS_SHOWN)))
    lines += _file_lines(entry.path)
    return Content("\n").join(lines)


def _fact_lines(facts: Iterable[tuple[str, str]]) -> Iterator[Content]:
    for label, value in facts:
        beside = [label] if value else []
        for line in Content(safe(value)).wrap(VALUE_WIDTH) if value else ():
            shown = beside.pop() if beside else ""
            yield Content.assemble(Content.styled(f"{shown:<{LABEL_WIDTH}}", "$quiet"), line)


def path_line(label: str, path: Path, width: int) -> Content:
    """Where something is, unbroken where ``width`` allows: below ``label`` if not beside it."""
    shown = one_line(str(path), 1000)
    if cell_len(shown) > width:
        shown = one_line(abbreviate_home(path), 1000)
    between = " " if cell_len(label) + 2 + cell_len(shown) <= width else "\n"
    return Content.assemble(f"{label}:{between}", (shown, "bold"))


def _file_lines(path: Path, label: str = "File") -> list[Content]:
    """Where a file is, broken only where the line is full."""
    shown = one_line(abbreviate_home(path), 1000)
    width = LABEL_WIDTH + VALUE_WIDTH
    pieces = (shown[start : start + width] for start in range(0, len(shown), width))
    return [Content(""), Content.styled(label, "bold"), *map(Content, pieces)]


def _turns(entry: LibraryEntry) -> str:
    summary = entry.summary
    if summary.status in ("finished", "syndisco") or not summary.turns:
        return f"{summary.turn} {'turn' if summary.turn == 1 else 'turns'}"
    return f"turn {summary.turn} of {summary.turns}"


def _names(entry: LibraryEntry) -> str:
    return join_names([one_line(name, 24) for name in entry.summary.names])


def _whole_date(entry: LibraryEntry) -> str:
    started = local_time(entry.summary.started_at)
    return f"{started.day} {started:%b %Y, %H:%M}" if started else ""
