"""The library's preview of a discussion or a batch, and the line that shows a path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from textual.content import Content

from ...text import one_line, safe
from ...workspace.folders import abbreviate_home
from ...workspace.library import LibraryEntry
from ..shell.local_time import local_time
from .row_drawing import matching_line_of, names_of, number_in_batch, turns_of
from .rows import DiscussionStatus, Group

LABEL_WIDTH, VALUE_WIDTH = 11, 29
WORDS_SHOWN = 280
"""Characters of the first and of the last message."""


def group_preview(group: Group, statuses: Sequence[DiscussionStatus]) -> Content:
    """How far a batch is, its seeds, and where its files are."""
    newest = group.newest.summary
    states = [f"{count} {word}" for word, count in Counter(each.word for each in statuses).items()]
    if missing := group.count - len(group.entries):
        states.append(f"{missing} not started")
    seeds = sorted(entry.summary.seed for entry in group.entries)
    facts = [
        ("state", "\n".join(states)),
        ("seeds", f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}"),
        ("users", names_of(group.newest)),
        ("model", one_line(newest.model, 120)),
        ("started", _start_time(group.newest)),
    ]
    lines = [
        Content.styled(one_line(newest.heading, 200), "bold $accent"),
        Content(f"Batch of {group.count} discussions"),
        Content(""),
        *_fact_lines(facts),
        *_path_lines("Folder", group.newest.path.parent),
    ]
    return Content("\n").join(lines)


def preview_of(
    entry: LibraryEntry,
    status: DiscussionStatus,
    colours: dict[str, str],
    match: tuple[str, str] = ("", ""),
) -> Content:
    """Who, what and when, the first and the last message, and where the file is.

    ``match`` is a message that has the filter's words, and these.
    """
    summary = entry.summary
    lines = [Content.styled(one_line(summary.heading, 200), "bold $accent")]
    if summary.error:
        error = [Content(""), Content(safe(summary.error))]
        return Content("\n").join([*lines, *error, *_path_lines("File", entry.path)])
    lines += [Content.styled(status.word, status.style), Content("")]
    if match[0]:
        lines += [matching_line_of(*match), Content("")]
    number = number_in_batch(entry) if summary.batch else ""
    facts = [
        ("users", names_of(entry)),
        ("moderator", one_line(summary.moderator, 60)),
        ("model", one_line(summary.model, 120)),
        ("turns", turns_of(entry)),
        ("messages", str(summary.messages)),
        ("started", _start_time(entry)),
        ("batch", number),
        ("forked", "from another discussion" if summary.fork_of else ""),
    ]
    lines += _fact_lines(facts)
    messages = [summary.first] if summary.messages else []
    messages += [summary.last] if summary.messages > 1 else []
    for index, (name, text) in enumerate(messages):
        if index and summary.messages > 2:
            lines += [Content(""), Content.styled("…", "$quiet")]
        shown = one_line(name, 40)
        lines += [Content(""), Content.styled(shown, f"bold {colours.get(name, '$foreground')}")]
        lines.append(Content(one_line(text, WORDS_SHOWN)))
    lines += _path_lines("File", entry.path)
    return Content("\n").join(lines)


def _fact_lines(facts: Iterable[tuple[str, str]]) -> Iterator[Content]:
    for label, value in facts:
        lines = Content(safe(value)).wrap(VALUE_WIDTH) if value else []
        for number, line in enumerate(lines):
            shown = label if number == 0 else ""
            yield Content.assemble(Content.styled(f"{shown:<{LABEL_WIDTH}}", "$quiet"), line)


def path_line(label: str, path: Path, width: int) -> Content:
    """A label and a path in ``width`` cells; the path is on a line of its own if it must be."""
    shown = one_line(str(path), 1000)
    if cell_len(shown) > width:
        shown = one_line(abbreviate_home(path), 1000)
    between = " " if cell_len(label) + 2 + cell_len(shown) <= width else "\n"
    return Content.assemble(f"{label}:{between}", (shown, "bold"))


def _path_lines(label: str, path: Path) -> list[Content]:
    """A label, and a path that is broken only where the line is full."""
    shown = one_line(abbreviate_home(path), 1000)
    width = LABEL_WIDTH + VALUE_WIDTH
    pieces = (shown[start : start + width] for start in range(0, len(shown), width))
    return [Content(""), Content.styled(label, "bold"), *map(Content, pieces)]


def _start_time(entry: LibraryEntry) -> str:
    started = local_time(entry.summary.started_at)
    return f"{started.day} {started:%b %Y, %H:%M}" if started else ""
