"""The transcript: the messages, which of them is current, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from textual import events
from textual.binding import BindingType
from textual.message import Message as Event

from ...discussion import DiscussionRecord, Message
from ...discussion.name_checks import outside_authors
from ...session import (
    DiscussionChanged,
    DiscussionClosed,
    NotSaved,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
)
from ...text import one_line
from ..shell.actions import bindings
from ..shell.keymap import key_of
from .blocks import Block, as_text, block_of, shown_name
from .search import Search
from .view import TranscriptView


class Interventions(Protocol):
    """What a person can do to the discussion that is shown. ``index`` is an entry's."""

    def regenerate(self) -> None: ...
    def candidates(self) -> None: ...
    def undo(self) -> None: ...
    def edit(self, index: int) -> None: ...
    def as_written(self, index: int) -> None: ...
    def delete(self, index: int) -> None: ...
    def fork(self, count: int) -> None: ...


class Transcript(TranscriptView):
    """The messages, oldest first. It follows the end until somebody scrolls away.

    One message is the current one. While the end is followed, that is the newest.
    """

    HELP = """Transcript
    The messages, oldest first, as they come. It follows the end until you scroll away.

    Words in colour beside a name are marks of the guard: “speaks as NAME”, “what followed as NAME
    was left out”, “perhaps a silence”, “speaks as an assistant”, “refusal”, “other language” and
    “repeats itself”. X-ray (⏎) shows what the model returned, and W undoes a mark."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("transcript")

    class BadgeChanged(Event):
        """``badge`` has another text."""

    @dataclass
    class Copied(Event):
        """``text`` is to be copied; ``description`` begins the sentence that says so."""

        text: str
        description: str

    def __init__(
        self, *, id: str | None = None, interventions: Interventions | None = None
    ) -> None:
        """``interventions`` performs what changes the discussion; without it, one only reads."""
        super().__init__(id=id)
        self._interventions = interventions
        self._posted_badge = ""
        self.search = Search(self)

    # What is shown -----------------------------------------------------------------------------

    def show(self, messages: Sequence[Message]) -> None:
        """Show these messages and nothing else."""
        self.lines.speaker = None
        self.lines.show(messages)
        self.cursor.follows = True
        self._redraw()

    def show_record(self, record: DiscussionRecord) -> None:
        """Show the messages of a discussion and nothing else."""
        first = record.earlier_setups[0].setup if record.earlier_setups else record.setup
        self.lines.outsiders = frozenset(outside_authors(first))
        self.show(record.entries)

    def show_changed(self, messages: Sequence[Message]) -> None:
        """Show these messages, most of which were shown before; what is in sight stays so."""
        in_sight = self.cursor.is_in_sight
        count = len(self.lines.entries)
        was_at_the_end = self.current == count - 1 and len(messages) <= count
        growing = self.lines.growing
        self.lines.show(messages)
        if growing is not None:
            self.lines.begin(growing)
        self._redraw()
        current = self.current
        if was_at_the_end and current is not None:
            self.cursor.follow()  # what takes the last message's place comes at the end, too
        elif in_sight and current is not None and not self.cursor.is_in_sight:
            self.cursor.go_to(current)  # what was deleted is back, and the mark is on it again

    def _redraw(self) -> None:
        """Draw everything after other messages have been laid out."""
        self.cursor.entries_replaced()
        self.search.repeat()
        self.lay_out()
        self.cursor.draw()
        self._show_badge()
        self.refresh_bindings()
        self.refresh()

    def handle(self, event: SessionEvent) -> None:
        """Show what an event says, if it is about messages."""
        match event:
            case Opened():
                self.show_record(event.record)
            case DiscussionClosed():
                self.show(())
            case DiscussionChanged():
                self.show_changed(event.record.entries)
            case ReplyStarted():
                self.begin_reply(event.name, event.role)
            case ReplyGrew():
                self.grow_reply(event.text)
            case NotSaved():
                self.show_unsaved(event.message)
            case Posted():
                self.post(event.message)
            case ReplyDropped():
                self.drop_reply()

    def begin_reply(self, name: str, role: str) -> None:
        """Show that ``name`` is about to speak."""
        tag = "moderator" if role == "moderator" else ""
        self._begin(Block(shown_name(name), tag=tag, is_growing=True))

    def show_unsaved(self, message: Message) -> None:
        """Show a message that is complete but not saved: it is no entry yet."""
        block = block_of(message)
        block.tag = f"{block.tag} · not saved yet" if block.tag else "not saved yet"
        self._begin(block)

    def _begin(self, block: Block) -> None:
        self.lines.drop()
        end = self.lines.total
        self.lines.begin(block)
        self.lay_out()
        self.draw_from(end)

    def grow_reply(self, text: str) -> None:
        """Show the text that has been generated by now."""
        if changed := self.lines.grow(text):
            self.lay_out()
            self.refresh_lines(changed.start, len(changed))

    def drop_reply(self) -> None:
        """Remove the reply that was being generated."""
        self.lines.drop()
        self.lay_out()
        self.draw_from(self.lines.total)

    def post(self, message: Message) -> None:
        """Show a new message in the place of the reply that was being generated."""
        self.lines.drop()
        end = self.lines.total
        self.lines.append(message)
        self.lay_out()
        self.draw_from(end)
        self.cursor.draw()
        self._show_badge()
        if self.lines.total > end:
            self.search.message_added(self.lines.blocks[-1])

    @property
    def badge(self) -> str:
        """What the pane's title says of the position; empty while the end is followed."""
        notes = [f"only {one_line(self.lines.speaker, 16)}"] if self.lines.speaker else []
        if not self.cursor.follows:
            new, key = self.cursor.unseen, key_of(self.app, "transcript.follow")
            notes.append(f"{new} new ↓ {key}" if new else f"↓ {key} follows")
        return " · ".join(notes)

    def _show_badge(self) -> None:
        if self.badge != self._posted_badge:
            self._posted_badge = self.badge
            self.post_message(self.BadgeChanged())

    # The current message -----------------------------------------------------------------------

    @property
    def current(self) -> int | None:
        """Index of the current message in the record's entries; None while there are none."""
        return self.cursor.entry

    @property
    def marks_current(self) -> bool:
        return self.has_focus or self.search.is_typing

    def cursor_moved(self) -> None:
        self.search.show_count()
        self._show_badge()
        self.refresh_bindings()

    def action_previous_message(self) -> None:
        self.cursor.up()

    def action_next_message(self) -> None:
        self.cursor.down()

    def action_page_up(self) -> None:
        self.cursor.page_up()

    def action_page_down(self) -> None:
        self.cursor.page_down()

    def action_scroll_home(self) -> None:
        self.cursor.home()

    def action_follow(self) -> None:
        self.cursor.follow()

    def on_click(self, event: events.Click) -> None:
        """A click points at a message; one that ends a selection does not."""
        if not self.text_selection:
            self.cursor.point_at(self.scroll_offset.y + event.y)

    def on_focus(self) -> None:
        self.draw_entry(self.current)

    def on_blur(self) -> None:
        self.draw_entry(self.current)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys apply now."""
        match action:
            case "follow":
                return not self.cursor.follows
            case "next_match" | "previous_match" | "leave_search":
                return self.search.is_active
            case "search" | "jump" | "copy_message" | "copy_discussion" | "read":
                return bool(self.lines.entries)
            case "only_speaker":
                return self.lines.speaker is not None or len(self.lines.speakers) > 1
            case "undo":
                return self._interventions is not None
            case "regenerate" | "candidates" | "edit" | "fork" | "delete":
                return self._interventions is not None and bool(self.lines.entries)
            case "as_written":
                return self._interventions is not None and self._is_guarded
        return True

    @property
    def _is_guarded(self) -> bool:
        """Whether the guard changed or marked the current message."""
        current = self.current
        return current is not None and self.lines.entries[current].is_guarded

    # Interventions -----------------------------------------------------------------------------

    def action_regenerate(self) -> None:
        if self._interventions:
            self._interventions.regenerate()

    def action_candidates(self) -> None:
        if self._interventions:
            self._interventions.candidates()

    def action_undo(self) -> None:
        if self._interventions:
            self._interventions.undo()

    def action_edit(self) -> None:
        if self._interventions and (current := self.current) is not None:
            self._interventions.edit(current)

    def action_as_written(self) -> None:
        if self._interventions and (current := self.current) is not None:
            self._interventions.as_written(current)

    def action_delete(self) -> None:
        if self._interventions and (current := self.current) is not None:
            self._interventions.delete(current)

    def action_fork(self) -> None:
        if self._interventions and (current := self.current) is not None:
            self._interventions.fork(current + 1)

    # Search and jump ---------------------------------------------------------------------------

    def search_changed(self) -> None:
        """Highlight what is searched for now."""
        self.highlighted_words = self.search.words
        self.refresh()
        self.refresh_bindings()

    def action_search(self) -> None:
        self.search.open()

    def action_leave_search(self) -> None:
        self.search.leave()

    def action_next_match(self) -> None:
        self.search.next()

    def action_previous_match(self) -> None:
        self.search.previous()

    def action_jump(self) -> None:
        self.search.open_jump()

    # One speaker -------------------------------------------------------------------------------

    def action_only_speaker(self) -> None:
        """Choose one whose messages alone are shown; all again if one was chosen."""
        if self.lines.speaker is not None:
            self.show_only(None)
            return
        from .speaker_choice import SpeakerChoice

        current = self.current
        name = "" if current is None else shown_name(self.lines.entries[current].name)
        choice = SpeakerChoice(self.lines.speakers, self._colours, name)
        self.app.push_screen(choice, lambda name: self.show_only(name) if name else None)

    def show_only(self, speaker: str | None) -> None:
        """Only the messages of ``speaker``, or all; the current message stays if it can."""
        entry = self.current
        self.lines.only(speaker)
        self._redraw()
        if entry is not None and not self.cursor.follows:
            self.cursor.go_to(entry)

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
        shown = [self.lines.entries[block.entry] for block in self.lines.shown_messages]
        if shown:
            speaker = self.lines.speaker
            description = f"{speaker}'s messages" if speaker else "Discussion"
            self.post_message(self.Copied(as_text(shown), description))

    # Reading -----------------------------------------------------------------------------------

    def action_read(self) -> None:
        """Read in the whole window; back here, the message read last is the current one."""
        if (row := self.cursor.row) is None:
            return
        from .reading import ReadingScreen  # Textual's Markdown takes 0.3 s to import

        def read_to(last_row: int | None) -> None:
            if last_row is not None and last_row != row:
                self.cursor.go_to(blocks[last_row].entry)

        blocks = list(self.lines.shown_messages)
        self.app.push_screen(ReadingScreen(blocks, row, self._colours), read_to)
