"""The transcript: what was said, the message that is current, and what can be done with it."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message as Event

from ...discussion import Message
from ...session import (
    Changed,
    NotSaved,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
)
from ...text import one_line
from ..actions import bindings
from ..keymap import key_of
from ..transcript.blocks import Block, as_text, block_of, shown_name
from ..transcript.finding import Finding
from ..transcript.view import TranscriptView

INNER_STEP = 3
"""Lines that up and down scroll inside a message that is taller than the pane."""


class Transcript(TranscriptView):
    """What was said, oldest first. It follows the end until somebody scrolls away.

    One message is the current one. While the end is followed, that is the newest.
    """

    HELP = """Transcript
    What was said, oldest first, as it comes. It follows the end until you scroll away."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("transcript")

    class CurrentChanged(Event):
        """Another message is the current one; ``index`` is an entry of the record, or None."""

        def __init__(self, index: int | None) -> None:
            super().__init__()
            self.index = index

    class Copied(Event):
        """``text`` is to be copied; ``what`` it is begins a sentence."""

        def __init__(self, text: str, what: str) -> None:
            super().__init__()
            self.text = text
            self.what = what

    class Asked(Event):
        """Something is to be done to what was said: ``what``, at the entry ``index``."""

        def __init__(self, what: str, index: int | None) -> None:
            super().__init__()
            self.what = what
            self.index = index

    def __init__(self, *, id: str | None = None, steered: bool = False) -> None:
        """``steered``: what was said can be changed from here."""
        super().__init__(id=id)
        self._steered = steered
        self._cursor = 0
        """The current entry while the end is not followed."""
        self._told_current: int | None = None
        self._told_badge = ""
        self._seen = 0
        """How many rows there were when the end was left."""
        self.finding = Finding(self)

    # What is shown -----------------------------------------------------------------------------

    def show(self, messages: tuple[Message, ...]) -> None:
        """Show these messages and nothing else."""
        self.lines.speaker = None
        self.lines.show(messages)
        self.follows = True
        self.finding.search_again()
        self._redraw()

    def show_again(self, messages: tuple[Message, ...]) -> None:
        """Show these messages, most of which were shown before; what is in sight stays so."""
        growing = self.lines.growing
        self.lines.show(messages)
        if growing is not None:
            self.lines.begin(growing)
        self._seen = min(self._seen, len(self.lines.rows))
        self.finding.search_again()
        self._redraw()

    def _redraw(self) -> None:
        self._lay_out()
        self._tell_current()
        self._show_badge()
        self.refresh()

    def take(self, event: SessionEvent) -> None:
        """Show what an event says, if it is about what is said."""
        match event:
            case Opened():
                self.show(event.record.entries)
            case Changed():
                self.show_again(event.record.entries)
            case ReplyStarted():
                self.begin_reply(event.name, event.role)
            case ReplyGrew():
                self.grow_reply(event.text)
            case NotSaved():
                self.hold(event.message)
            case Posted():
                self.post(event.message)
            case ReplyDropped():
                self.drop_reply()

    def begin_reply(self, name: str, role: str) -> None:
        """``name`` is about to speak."""
        tag = "moderator" if role == "moderator" else ""
        end = self.lines.total
        self.lines.begin(Block(shown_name(name), tag=tag, growing=True))
        self._lay_out()
        self._draw_from(end)

    def grow_reply(self, text: str) -> None:
        """The reply in the making, as it is by now."""
        if changed := self.lines.grow(text):
            self._lay_out()
            self.refresh_lines(changed.start, len(changed))

    def drop_reply(self) -> None:
        """The reply in the making will not come."""
        self.lines.drop()
        self._lay_out()
        self._draw_from(self.lines.total)

    def hold(self, message: Message) -> None:
        """A message is final but not saved: it stands here as no entry yet."""
        self.lines.drop()
        end = self.lines.total
        held = block_of(message)
        held.tag = f"{held.tag} · not saved yet" if held.tag else "not saved yet"
        self.lines.begin(held)
        self._lay_out()
        self._draw_from(end)

    def post(self, message: Message) -> None:
        """A message is final; it takes the place of the reply in the making."""
        self.lines.drop()
        end = self.lines.total
        self.lines.append(message)
        self._lay_out()
        self._draw_from(end)
        self._show_current()
        self._show_badge()
        if self.lines.is_shown(message):
            self.finding.said(len(self.lines.entries) - 1)

    @property
    def badge(self) -> str:
        """What the pane's title should say of where we are; empty while the end is followed."""
        notes = [f"only {one_line(self.lines.speaker, 16)}"] if self.lines.speaker else []
        if not self.follows:
            new = len(self.lines.rows) - self._seen
            key = key_of(self.app, "transcript.follow")
            notes.append(f"{new} new ↓ {key}" if new > 0 else f"↓ {key} follows")
        return " · ".join(notes)

    def _show_badge(self) -> None:
        if self.badge != self._told_badge:
            self._told_badge = self.badge
            self.post_message(self.FollowChanged(self.follows))

    # The current message -----------------------------------------------------------------------

    @property
    def current(self) -> int | None:
        """Index of the current message in the record's entries; None while there are none.

        A reply in the making is not an entry yet.
        """
        row = self._row
        return None if row is None else self.lines.rows[row]

    @property
    def _row(self) -> int | None:
        """The row of the current message."""
        newest = len(self.lines.rows) - 1
        if newest < 0:
            return None
        return newest if self.follows else min(self.lines.row_of(self._cursor), newest)

    @property
    def marks_current(self) -> bool:
        return self.has_focus or self.finding.is_typing

    def _show_current(self) -> None:
        """Draw the mark where it is now, and tell of it."""
        before, now = self._told_current, self.current
        if before != now:
            self._draw_entry(before)
            self._draw_entry(now)
            self._tell_current()

    def _tell_current(self) -> None:
        self._told_current = self.current
        self.post_message(self.CurrentChanged(self.current))
        self.finding.show_count()
        self.refresh_bindings()

    def _draw_entry(self, entry: int | None) -> None:
        if entry is not None and (row := self.lines.row_of(entry)) < self.lines.row_count:
            self.refresh_lines(self.lines.start(row), self.lines.height(row))

    def _set_follows(self, follows: bool) -> None:
        if follows != self.follows:
            self._cursor = self.current or 0
            self._seen = len(self.lines.rows)
            self.follows = follows
            self._show_badge()
            self.refresh_bindings()

    def go_to(self, entry: int) -> None:
        """Make a message the current one, and bring it into sight."""
        if not self.lines.rows:
            return
        self._set_follows(False)
        self._cursor = entry
        row = self._row or 0
        self.lines.settle_row(row, 2 * self.size.height)
        self._lay_out()
        self._bring_into_sight(row)
        self._show_current()

    def _bring_into_sight(self, row: int) -> None:
        """Scroll as little as shows all of it; of one that is too tall, the nearer end."""
        top, page = self.lines.start(row), self.size.height
        end = top + self.lines.height(row) - 1
        now = self.scroll_offset.y
        if end - top > page:
            self._scroll_by_hand(top if top >= now else end - page)
        else:
            self._scroll_by_hand(min(top, max(now, end - page)))

    def _lines_in_sight(self, row: int) -> range:
        """The lines of a message, without the blank one, that are in the pane."""
        top = self.scroll_offset.y
        start = self.lines.start(row)
        end = start + self.lines.height(row) - 1
        return range(max(start, top), min(end, top + self.size.height))

    def action_previous_message(self) -> None:
        """Up: first inside a message that is taller than the pane, then to the one before."""
        row = self._row
        if row is None:
            return
        hidden = self.scroll_offset.y - self.lines.start(row)
        if not self._lines_in_sight(row):
            self.go_to(self.lines.rows[row])
        elif hidden > 0:
            self._set_follows(False)
            self._scroll_by_hand(self.scroll_offset.y - min(hidden, INNER_STEP))
        elif row > 0:
            self.go_to(self.lines.rows[row - 1])

    def action_next_message(self) -> None:
        """Down: the same the other way; after the newest, the end is followed."""
        row = self._row
        if row is None or self.follows:
            return
        newest = len(self.lines.rows) - 1
        end = self.lines.start(row) + self.lines.height(row) - 1
        hidden = end - self.scroll_offset.y - self.size.height
        if not self._lines_in_sight(row):
            self.go_to(self.lines.rows[row])
        elif hidden > 0:
            self._scroll_by_hand(self.scroll_offset.y + min(hidden, INNER_STEP))
        elif row == newest:
            self.action_follow()
        else:
            self.go_to(self.lines.rows[row + 1])
            fits = self.lines.height(newest) <= self.size.height
            if row + 1 == newest and fits and not self.lines.shows_growing:
                self.action_follow()

    def action_page_up(self) -> None:
        if self.scroll_offset.y > 0:
            self.scroll_to(y=self.scroll_offset.y - self.size.height + 1)
        elif self.lines.rows:
            self.go_to(self.lines.rows[0])

    def action_page_down(self) -> None:
        if self.scroll_offset.y < self.max_scroll_y:
            self.scroll_to(y=self.scroll_offset.y + self.size.height - 1)
        else:
            self.action_follow()

    def action_scroll_home(self) -> None:
        if self.lines.rows:
            self.go_to(self.lines.rows[0])

    def action_follow(self) -> None:
        self._set_follows(True)
        self._lay_out()
        self._show_current()

    def _scrolled(self) -> None:
        """Whoever scrolls takes the current message along."""
        row = self._row
        if row is not None and not self.follows and not self._lines_in_sight(row):
            top, page = self.scroll_offset.y, self.size.height
            newest = len(self.lines.rows) - 1
            row = self.lines.row_at(top if self.lines.start(row) < top else top + page - 1)
            row = min(row, newest)
            if row < newest and not self._lines_in_sight(row):
                row += 1  # the line at the edge is the blank one
            self._cursor = self.lines.rows[row]
        self._show_current()

    def _resized(self) -> None:
        """What could be seen of the current message stays in sight."""
        row = self._row
        if row is None or self.follows or not self._lines_in_sight(row):
            return
        if self.lines.height(row) <= self.size.height:
            self._bring_into_sight(row)

    def on_click(self, event: events.Click) -> None:
        """A click points at a message; one that ends a selection does not."""
        row, newest = self.lines.row_at(self.scroll_offset.y + event.y), len(self.lines.rows) - 1
        if newest < 0 or self.text_selection:
            return
        if row < newest or (row == newest and not self.follows):
            self.go_to(self.lines.rows[row])

    def on_focus(self) -> None:
        self._draw_entry(self.current)

    def on_blur(self) -> None:
        self._draw_entry(self.current)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys apply now."""
        match action:
            case "follow":
                return not self.follows
            case "next_match" | "previous_match" | "leave_search":
                return self.finding.search is not None
            case "search" | "jump" | "copy_message" | "copy_discussion" | "read":
                return bool(self.lines.entries)
            case "only_speaker":
                return self.lines.speaker is not None or len(self.lines.speakers) > 1
            case "steer":
                return self._steered and bool(self.lines.entries or parameters == ("undo",))
        return True

    def action_steer(self, what: str) -> None:
        self.post_message(self.Asked(what, self.current))

    # Finding -----------------------------------------------------------------------------------

    def seek(self, pattern: re.Pattern[str] | None) -> None:
        """Mark what matches, in every message."""
        if pattern != self.sought:
            self.sought = pattern
            self.refresh()
        self.refresh_bindings()

    def action_search(self) -> None:
        self.finding.open_search()

    def action_leave_search(self) -> None:
        self.finding.leave_search()

    def action_next_match(self) -> None:
        self.finding.next()

    def action_previous_match(self) -> None:
        self.finding.previous()

    def action_jump(self) -> None:
        self.finding.open_jump()

    # One speaker -------------------------------------------------------------------------------

    def action_only_speaker(self) -> None:
        """Choose one whose messages alone are shown; all again if one was chosen."""
        if self.lines.speaker is not None:
            self.show_only(None)
            return
        from ..transcript.speaker_choice import SpeakerChoice

        current = self.current
        name = "" if current is None else shown_name(self.lines.entries[current].name)
        choice = SpeakerChoice(self.lines.speakers, self._colours, name)
        self.app.push_screen(choice, lambda name: self.show_only(name) if name else None)

    def show_only(self, speaker: str | None) -> None:
        """Only the messages of ``speaker``, or all; the current message stays if it can."""
        entry = self.current
        self.lines.only(speaker)
        self._seen = min(self._seen, len(self.lines.rows))
        self.finding.search_again()
        self._redraw()
        if entry is not None and not self.follows:
            self.go_to(entry)

    # Copying -----------------------------------------------------------------------------------

    def action_copy_message(self) -> None:
        if (current := self.current) is None:
            return
        entry = self.lines.entries[current]
        if entry.is_silence:
            self.notify("A silence has no text to copy.", timeout=3)
        else:
            self.post_message(self.Copied(entry.text, "Message"))

    def action_copy_discussion(self) -> None:
        shown = [self.lines.entries[entry] for entry in self.lines.rows]
        if shown:
            what = f"{self.lines.speaker}'s messages" if self.lines.speaker else "Discussion"
            self.post_message(self.Copied(as_text(shown), what))

    # Reading -----------------------------------------------------------------------------------

    def action_read(self) -> None:
        """Read in the whole window; back here, the message read last is the current one."""
        if (row := self._row) is None:
            return
        from ..screens.reading import ReadingScreen  # Textual's Markdown takes 0.3 s to import

        def back(read: int | None) -> None:
            if read is not None and read != row:
                self.go_to(rows[read])

        rows = list(self.lines.rows)
        screen = ReadingScreen(self.lines.entries, rows, row, self._colours)
        self.app.push_screen(screen, back)
