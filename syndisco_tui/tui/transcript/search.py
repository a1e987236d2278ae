"""Search, and jump to a turn: what is typed in the line below a transcript, and where it leads."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from textual.widget import Widget

from ..widgets.input_line import InputLine
from .blocks import Block
from .searched_words import SearchedWords

if TYPE_CHECKING:
    from .transcript import Transcript


class Search:
    """Finds words and turns in what a transcript shows, and moves its current message there."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._input: InputLine | None = None
        self._query = ""
        self._origin: int | None = None
        """The entry that was current when the search began; None is the end, followed."""
        self.is_active = False
        self.words: SearchedWords | None = None
        self.hits: list[int] = []
        """The entries that match, ascending."""

    # The line ----------------------------------------------------------------------------------

    def open(self) -> None:
        """Type what to search for; Escape goes back to where we were, Enter stays."""
        if not self.is_active:
            self._origin = None if self._transcript.cursor.follows else self._transcript.current
        if self._input is not None and self._input.sign == "/":
            self._input.take_focus()
        else:
            self._open(InputLine("/", "search the transcript", self._typed, self._give_up))

    def open_jump(self) -> None:
        """Type the number of a turn."""
        self.leave()
        placeholder = f"turn 1 to {self._last_turn}"
        self._open(InputLine("#", placeholder, self._turn_typed, self._close))

    def _open(self, line: InputLine) -> None:
        self._close()
        self._input = line
        pane = self._transcript.parent
        assert isinstance(pane, Widget)
        pane.mount(line, after=self._transcript)

    def _close(self) -> None:
        if self._input is not None:
            line, self._input = self._input, None
            self._transcript.focus()
            line.remove()

    @property
    def is_typing(self) -> bool:
        """Whether the line below the transcript has the focus."""
        return self._input is not None and self._input.has_focus_within

    # Words -------------------------------------------------------------------------------------

    def _typed(self, query: str, is_submitted: bool) -> None:
        if not is_submitted:
            self._search(query)
        elif query.strip():
            self._transcript.focus()
        else:
            self.leave()

    def _search(self, query: str) -> None:
        cursor = self._transcript.cursor
        self._set(query)
        if not self.hits:
            self._go_back()
        elif self._origin is None:
            cursor.go_to(self.hits[-1])  # from the end, the newest
        else:
            cursor.go_to(self.hits[bisect_left(self.hits, self._origin) % len(self.hits)])
        self.show_count()

    def _set(self, query: str) -> None:
        """Search for ``query``; case and accents do not count."""
        lines = self._transcript.lines
        candidates = lines.shown_messages
        if self.words and query.startswith(self._query):  # more was typed
            candidates = [lines.blocks[lines.row_of(entry)] for entry in self.hits]
        self._query, self.is_active = query, True
        words = self.words = SearchedWords.of(query)
        self.hits = [each.entry for each in candidates if words and words.are_in(each.text)]
        self._transcript.search_changed()

    def _go_back(self) -> None:
        if self._origin is None:
            self._transcript.cursor.follow()
        else:
            self._transcript.cursor.go_to(self._origin)

    def _give_up(self) -> None:
        self._go_back()
        self.leave()

    def leave(self) -> None:
        """End the search; the current message stays."""
        self._query, self.words, self.hits, self.is_active = "", None, [], False
        self._transcript.search_changed()
        self._close()

    def next(self) -> None:
        """Go to the next hit; after the last, to the first."""
        if self.hits and (current := self._transcript.current) is not None:
            position = bisect_right(self.hits, current)
            self._transcript.cursor.go_to(self.hits[position % len(self.hits)])

    def previous(self) -> None:
        """Go to the hit before; before the first, to the last."""
        if self.hits and (current := self._transcript.current) is not None:
            self._transcript.cursor.go_to(self.hits[bisect_left(self.hits, current) - 1])

    def repeat(self) -> None:
        """Search for the same words in what is shown by now."""
        if self.is_active:
            self.words = None
            self._set(self._query)
            self.show_count()

    def message_added(self, block: Block) -> None:
        """Search in one more message."""
        if self.words and self.words.are_in(block.text):
            self.hits.append(block.entry)
        self.show_count()

    def show_count(self) -> None:
        """Show which of the hits is current."""
        if self._input is None or self._input.sign != "/":
            return
        current, count = self._transcript.current, len(self.hits)
        if not self.words:
            note = ""
        elif current in self.hits:
            note = f"{self.hits.index(current) + 1} of {count}"
        else:
            note = f"{count} found" if count else "not found"
        self._input.note(note)

    # Turns -------------------------------------------------------------------------------------

    @property
    def _last_turn(self) -> int:
        return max((entry.turn for entry in self._transcript.lines.entries), default=0)

    def _turn_typed(self, text: str, is_submitted: bool) -> None:
        """Go to the turn while its number is typed; Enter closes the line."""
        lines = self._transcript.lines
        turn = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
        target = None
        if 1 <= turn <= self._last_turn:
            shown = (block.entry for block in lines.shown_messages)
            users = (entry for entry in shown if lines.entries[entry].role == "user")
            target = next((entry for entry in users if lines.entries[entry].turn >= turn), None)
        if target is not None:
            self._transcript.cursor.go_to(target)
        is_accepted = target is not None or not text
        if self._input:
            self._input.note("" if is_accepted else f"there are turns 1 to {self._last_turn}")
        if is_submitted and is_accepted:
            self._close()
