"""The transcript while a person annotates, with the answers next to the names."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual.binding import Binding, BindingType

from ...discussion import DiscussionRecord
from ..transcript.transcript import Transcript


class CodedTranscript(Transcript, inherit_bindings=False):
    """Reserves letters and digits for answers. Only ``positions`` can be the current message."""

    HELP = """The discussion
    Silences are not annotated. An answer beside a name is yours; those of others are not shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "previous_message", "move", key_display="↑↓"),
        Binding("down", "next_message", "next message", show=False),
        Binding("pageup", "page_up", "page up", show=False),
        Binding("pagedown", "page_down", "page down", show=False),
        Binding("home", "scroll_home", "start", show=False),
        Binding("end", "follow", "end", show=False),
    ]

    def __init__(self, positions: Collection[int]) -> None:
        super().__init__()
        self._positions = positions
        self._tags: dict[int, str] = {}

    @property
    def marks_current(self) -> bool:
        return True

    def show_coded(self, record: DiscussionRecord, answers: dict[int, str]) -> None:
        """Show a discussion with the answers given so far, by position."""
        self.show_record(record)
        self._tags = {block.entry: block.tag for block in self.lines.blocks}
        for position, answer in answers.items():
            self.show_answer(position, answer)

    def show_answer(self, position: int, answer: str) -> None:
        """Show the answer about a message next to its speaker; an empty one removes it."""
        block = self.lines.blocks[self.lines.row_of(position)]
        block.tag = " · ".join(filter(None, (self._tags.get(position, ""), answer)))
        self.draw_entry(position)

    def action_previous_message(self) -> None:
        self.cursor.up()
        if self.current is not None and self.current not in self._positions:
            self._skip(-1)

    def action_next_message(self) -> None:
        self.cursor.down()
        if self.current is not None and self.current not in self._positions:
            self._skip(1)

    def _skip(self, direction: int) -> None:
        """Move on from a silence."""
        current = self.current or 0
        beyond = [each for each in self._positions if (each - current) * direction > 0]
        if beyond:
            self.cursor.go_to(min(beyond, key=lambda each: abs(each - current)))
