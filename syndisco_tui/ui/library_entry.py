"""How a saved discussion is told of: its state in a sign and a word, its date, its figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from textual.content import Content

from ..discussion.setup import named_together
from ..store.library import Entry
from ..text import one_line, safe
from .local_time import local_time

LABEL_WIDTH, VALUE_WIDTH = 11, 29
WORDS_SHOWN = 280
"""Characters of the first and of the last message in the preview."""


@dataclass(frozen=True)
class Standing:
    """Where a discussion stands now, and what can be done with it."""

    sign: str
    word: str
    style: str = "$quiet"
    is_here: bool = False
    is_elsewhere: bool = False
    can_go_on: bool = False
    can_be_read: bool = True

    @classmethod
    def of(cls, entry: Entry, open_here: Path | None) -> Standing:
        """``open_here`` is the file that the laboratory has open."""
        kept = entry.summary.kept
        if kept == "unreadable":
            return cls("!", "cannot be read", "$error", can_be_read=False)
        if entry.path == open_here:
            return cls("●", f"open here, {kept}", "$accent", is_here=True)
        if entry.has_writer:
            word = "running elsewhere" if kept == "running" else "open elsewhere"
            return cls("●", word, "$accent", is_elsewhere=True)
        if kept == "syndisco":
            return cls("·", "SynDisco's")
        if kept == "finished":
            return cls("✓", "finished")
        word = "interrupted" if kept == "running" else kept
        return cls("○", word, "$foreground", can_go_on=True)


def date_of(entry: Entry, now: datetime) -> str:
    """When it began, in local time: the hour today, the day this year, else the year too."""
    started = local_time(entry.summary.started_at)
    if started is None:
        return ""
    if started.date() == now.date():
        return f"{started:%H:%M}"
    day = f"{started.day} {started:%b}"
    return day if started.year == now.year else f"{day} {started.year}"


def row_of(
    entry: Entry, standing: Standing, width: int, now: datetime, *, highlighted: bool
) -> tuple[Content, Content]:
    """The two lines of a list's row, each at most ``width`` cells."""
    summary = entry.summary
    date = date_of(entry, now)
    sign = Content.styled(f"{standing.sign} ", standing.style)
    heading = Content.styled(one_line(summary.heading, 200), "bold" if highlighted else "")
    room = max(4, width - 4 - len(date))
    heading = heading.truncate(room, ellipsis=True)
    gap = " " * max(1, width - 2 - heading.cell_length - len(date))
    first = Content.assemble(sign, heading, gap, Content.styled(date, "$quiet"))
    if summary.fault:
        second = Content.styled(f"  {one_line(summary.fault)}", "$quiet")
    else:
        told = [standing.word, _turns(entry)]
        told += ["fork"] if summary.fork_of else []
        told += [one_line(summary.model.rpartition("/")[2], 30), _names(entry)]
        second = Content.assemble(
            "  ",
            Content.styled(told[0], standing.style if standing.style != "$foreground" else ""),
            Content.styled("".join(f" · {part}" for part in told[1:] if part), "$quiet"),
        )
    return first.truncate(width, ellipsis=True), second.truncate(width, ellipsis=True)


def preview_of(entry: Entry, standing: Standing, colours: dict[str, str]) -> Content:
    """Who, what and when, the first words and the last."""
    summary = entry.summary
    lines = [Content.styled(one_line(summary.heading, 200), "bold $accent")]
    if summary.fault:
        return Content("\n").join([*lines, Content(""), Content(safe(summary.fault))])
    lines += [Content.styled(standing.word, standing.style), Content("")]
    facts = [
        ("users", _names(entry)),
        ("moderator", one_line(summary.moderator, 60)),
        ("model", one_line(summary.model, 120)),
        ("turns", _turns(entry)),
        ("messages", str(summary.messages)),
        ("started", _whole_date(entry)),
        ("forked", "from another discussion" if summary.fork_of else ""),
    ]
    for label, value in facts:
        beside = [label] if value else []
        for line in Content(safe(value)).wrap(VALUE_WIDTH) if value else ():
            told = beside.pop() if beside else ""
            lines.append(Content.assemble(Content.styled(f"{told:<{LABEL_WIDTH}}", "$quiet"), line))
    said = [summary.first] if summary.messages else []
    said += [summary.last] if summary.messages > 1 else []
    for number, (name, text) in enumerate(said):
        if number and summary.messages > 2:
            lines += [Content(""), Content.styled("…", "$quiet")]
        shown = one_line(name, 40)
        lines += [Content(""), Content.styled(shown, f"bold {colours.get(name, '$foreground')}")]
        lines.append(Content(one_line(text, WORDS_SHOWN)))
    lines += [Content(""), Content.styled(one_line(entry.path.name, 60), "$quiet")]
    return Content("\n").join(lines)


def _turns(entry: Entry) -> str:
    summary = entry.summary
    if summary.kept in ("finished", "syndisco") or not summary.turns:
        return f"{summary.turn} {'turn' if summary.turn == 1 else 'turns'}"
    return f"turn {summary.turn} of {summary.turns}"


def _names(entry: Entry) -> str:
    return named_together([one_line(name, 24) for name in entry.summary.names])


def _whole_date(entry: Entry) -> str:
    started = local_time(entry.summary.started_at)
    return f"{started.day} {started:%b %Y, %H:%M}" if started else ""
