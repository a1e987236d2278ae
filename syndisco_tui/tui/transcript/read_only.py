"""A saved discussion to read: nothing can be changed here. One that grows is followed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import Event as Flag
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message as Event
from textual.widgets import Static

from ...discussion import DiscussionRecord
from ...text import one_line, safe
from ...workspace.discussions import has_writer, read_discussion
from ...workspace.inputs import InputError
from ..shell.screen import AppScreen
from ..widgets.key_line import KeyLine
from ..widgets.speaker_colours import SpeakerColours, speakers_of
from .transcript import Transcript

LOOKS_PER_SECOND = 2


class ReadOnlyScreen(AppScreen[None]):
    """Shows the discussion in ``path``, read again whenever another process has written it."""

    HELP = """
    A saved discussion, to read

    It is another syndisco-tui's, or SynDisco's own: it can be read here and not changed. What is
    said in it elsewhere appears as soon as it is saved.
    """
    CSS_PATH = "../library/library.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "back", key_display="esc")
    ]

    class Read(Event):
        """The file as it is now; ``is_written`` tells whether a living process has it open."""

        def __init__(self, record: DiscussionRecord | None, fault: str, is_written: bool) -> None:
            super().__init__()
            self.record = record
            self.fault = fault
            self.is_written = is_written

    def __init__(self, path: Path, colours: SpeakerColours) -> None:
        super().__init__()
        self._path = path
        self._colours = colours
        self._record: DiscussionRecord | None = None
        self._left = Flag()

    def compose(self) -> ComposeResult:
        with Horizontal(classes="library-top"):
            yield Static("", classes="library-title", markup=False)
            yield Static("", classes="library-note", markup=False)
        yield Transcript()
        yield KeyLine()

    def on_mount(self) -> None:
        transcript = self.query_one(Transcript)
        transcript.set_hint([Content.styled("Reading the file…", "$quiet")])
        transcript.focus()
        self._follow()

    def on_unmount(self) -> None:
        self._left.set()

    @work(thread=True, exit_on_error=False)
    def _follow(self) -> None:
        """Look at the file now and then; tell of every change."""
        seen: object = None
        while not self._left.is_set():
            stamp: object = None
            with suppress(OSError):
                stat = os.stat(self._path)
                stamp = stat.st_mtime_ns, stat.st_size, stat.st_ino
            is_written = has_writer(self._path)
            if seen != (stamp, is_written):
                seen = stamp, is_written
                try:
                    self.post_message(self.Read(read_discussion(self._path), "", is_written))
                except InputError as error:
                    self.post_message(self.Read(None, str(error), is_written))
            self._left.wait(1 / LOOKS_PER_SECOND)

    def on_read_only_screen_read(self, event: Read) -> None:
        """Show what is new."""
        transcript = self.query_one(Transcript)
        if event.record is None:
            self._badge(event.fault.removeprefix(f"{self._path}: "), "$error")
            return
        before, self._record = self._record, event.record
        dark = self.app.current_theme.dark
        names = speakers_of(event.record)
        if before is None or names != speakers_of(before):
            transcript.set_colours(self._colours.by_name(names, dark=dark))
        there = before.entries if before else ()
        if before and event.record.entries[: len(there)] == there:
            for entry in event.record.entries[len(there) :]:
                transcript.post(entry)
        else:
            transcript.show_record(event.record)
            if before is None and not event.is_written:
                self.call_after_refresh(transcript.action_scroll_home)
        title = one_line(event.record.heading, 120)
        self.query_one(".library-title", Static).update(Content(title))
        if not event.record.entries:
            transcript.set_hint([Content.styled("Nobody has said anything yet.", "$quiet")])
        if event.is_written:
            word = "running" if event.record.status == "running" else "open"
            self._badge(f"{word} elsewhere · read only", "$accent")
        else:
            self._badge("read only", "$quiet")

    def _badge(self, note: str, style: str) -> None:
        self.query_one(".library-note", Static).update(Content.styled(safe(note), style))
