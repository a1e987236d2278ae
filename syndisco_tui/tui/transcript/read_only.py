"""A saved discussion to read: nothing can be changed here. One that grows is followed."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from ...discussion import DiscussionRecord
from ...text import one_line, safe
from ...workspace.discussions import has_writer, read_discussion
from ...workspace.inputs import InputError
from ..shell.screen import AppScreen
from ..widgets.key_line import KeyLine
from ..widgets.speaker_colours import SpeakerColours, speakers_of
from .transcript import Transcript

if TYPE_CHECKING:
    from ..annotation.controller import AnnotationController

CHECKS_PER_SECOND = 2


class ReadOnlyScreen(AppScreen[None]):
    """Shows the discussion in ``path``, and reads it again when another process has written it."""

    HELP = """
    A saved discussion, to read

    Another syndisco-tui has it open, or SynDisco wrote it: here it can be read, not changed. New
    messages appear as soon as they are saved.
    """
    CSS_PATH = "../library/library.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "back", key_display="esc")
    ]

    @dataclass
    class Read(Message):
        """The file as it is now, or an error; ``is_written``: a running process has it open."""

        record: DiscussionRecord | None
        error: str
        is_written: bool

    def __init__(self, path: Path, colours: SpeakerColours) -> None:
        super().__init__()
        self._path = path
        self._colours = colours
        self._record: DiscussionRecord | None = None
        self._stop_reading = Event()

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
        self._stop_reading.set()

    @work(thread=True, exit_on_error=False)
    def _follow(self) -> None:
        """Read the file whenever it, or whether it is being written, has changed."""
        previous: object = None
        while not self._stop_reading.is_set():
            stamp: object = None
            with suppress(OSError):
                stat = os.stat(self._path)
                stamp = stat.st_mtime_ns, stat.st_size, stat.st_ino
            is_written = has_writer(self._path)
            if previous != (stamp, is_written):
                previous = stamp, is_written
                try:
                    self.post_message(self.Read(read_discussion(self._path), "", is_written))
                except InputError as error:
                    self.post_message(self.Read(None, str(error), is_written))
            self._stop_reading.wait(1 / CHECKS_PER_SECOND)

    @on(Read)
    def _show_file(self, event: Read) -> None:
        """Show what is new."""
        if event.record is None:
            self._badge(event.error.removeprefix(f"{self._path}: "), "$error")
            return
        self._show_messages(event.record, event.is_written)
        self.query_one(".library-title", Static).update(
            Content(one_line(event.record.heading, 120))
        )
        if event.is_written:
            word = "running" if event.record.status == "running" else "open"
            self._badge(f"{word} elsewhere · read only", "$accent")
        else:
            self._badge("read only", "$quiet")

    def _show_messages(self, record: DiscussionRecord, is_written: bool) -> None:
        transcript = self.query_one(Transcript)
        previous, self._record = self._record, record
        names = speakers_of(record)
        if previous is None or names != speakers_of(previous):
            dark = self.app.current_theme.dark
            transcript.set_colours(self._colours.by_name(names, dark=dark))
        count = len(previous.entries) if previous else 0
        if previous and record.entries[:count] == previous.entries:
            for entry in record.entries[count:]:
                transcript.post(entry)
        else:
            transcript.show_record(record)
            if previous is None and not is_written:
                self.call_after_refresh(transcript.action_scroll_home)
        if not record.entries:
            transcript.set_hint([Content.styled("Nobody has said anything yet.", "$quiet")])

    def action_annotate(self) -> None:
        """The transcript's key for annotating by hand."""
        self._annotation.annotate(self._path)

    def action_annotations(self) -> None:
        """The transcript's key for all annotations."""
        self._annotation.show(self._path)

    @property
    def _annotation(self) -> AnnotationController:
        from ..annotation.controller import annotation_of

        dark = self.app.current_theme.dark
        return annotation_of(
            self.app, lambda record: self._colours.by_name(speakers_of(record), dark=dark)
        )

    def _badge(self, note: str, style: str) -> None:
        self.query_one(".library-note", Static).update(Content.styled(safe(note), style))
